import type { Camera, CameraSpec } from '../api/schemas.ts';
import { change, Resource, readModifyWrite } from './resource.ts';
import { ifMatch, newKey, pathOf } from './transport.ts';
import type { CallOptions, Changed, ChangeOptions, Patch, PostOptions } from './types.ts';

export class Cameras extends Resource<Camera> {
  /** Declares a camera: without `ifMatch` there must be none yet, with it there must be one. */
  put(
    id: string,
    spec: CameraSpec,
    options: Partial<ChangeOptions> = {},
  ): Promise<Changed<Camera>> {
    const { ifMatch: match, ...rest } = options;
    const headers = match === undefined ? { 'if-none-match': '*' } : ifMatch({ ifMatch: match });
    const call = { ...rest, body: spec, headers };
    return change<Camera>(this.transport, 'PUT', pathOf(this.name, id), call);
  }

  /** Changes what was declared by what `patch` makes of it; again, when it was changed in between. */
  update(
    id: string,
    patch: (now: Camera) => Patch,
    options: CallOptions = {},
  ): Promise<Changed<Camera>> {
    return readModifyWrite(
      () => this.get(id, options),
      (now, headers) =>
        change<Camera>(this.transport, 'PATCH', pathOf(this.name, id), {
          ...options,
          ...{ body: patch(now), headers },
        }),
    );
  }

  /** Forgets it; its streams stay. Default of `ifMatch`: any. */
  async remove(id: string, options: Partial<ChangeOptions> = {}): Promise<void> {
    const { ifMatch: match = 'any', ...rest } = options;
    const headers = ifMatch({ ifMatch: match });
    await this.transport.send('DELETE', pathOf(this.name, id), { ...rest, headers });
  }

  /** The camera says that it works. */
  heartbeat(
    id: string,
    report?: object,
    { idempotencyKey = newKey(), ...options }: PostOptions = {},
  ): Promise<Camera> {
    const call = { ...options, ...(report && { body: report }), idempotencyKey };
    return this.transport.json<Camera>('POST', pathOf(this.name, id, 'heartbeat'), call);
  }
}
