import type { Stream } from '../api/schemas.ts';
import type { FrameJson } from '../metadata/frame-json.ts';
import { change, Resource, readModifyWrite } from './resource.ts';
import { ifMatch, newKey, pathOf } from './transport.ts';
import type {
  CallOptions,
  Changed,
  ChangeOptions,
  Patch,
  PostOptions,
  StreamInput,
} from './types.ts';

export interface StreamFilters {
  readonly state?: Stream['status']['state'];
  readonly pipelineId?: string;
  readonly source?: Stream['source'];
}

export class Streams extends Resource<Stream, StreamFilters> {
  /** Starts a stream of its own. Throws `SL_CONFLICT`, `SL_SPEC_INVALID`, `SL_ADMISSION_DENIED`... */
  create(spec: StreamInput, { idempotencyKey = newKey(), ...options }: PostOptions = {}) {
    return this.transport.json<Stream>('POST', pathOf(this.name), {
      ...options,
      ...{ body: spec, idempotencyKey },
    });
  }

  /** Changes its spec, when it still is what was read. Throws `SL_PRECONDITION_FAILED`. */
  patch(id: string, patch: Patch, options: ChangeOptions): Promise<Changed<Stream>> {
    const { signal } = options;
    const call = { body: patch, headers: ifMatch(options), ...(signal && { signal }) };
    return change<Stream>(this.transport, 'PATCH', pathOf(this.name, id), call);
  }

  /** Changes its spec by what `patch` makes of it as it is now; again, when it was changed in between. */
  update(
    id: string,
    patch: (now: Stream) => Patch,
    options: CallOptions = {},
  ): Promise<Changed<Stream>> {
    return readModifyWrite(
      () => this.get(id, options),
      (now, headers) =>
        change<Stream>(this.transport, 'PATCH', pathOf(this.name, id), {
          ...options,
          ...{ body: patch(now), headers },
        }),
    );
  }

  /** Drains and forgets it. With `ifMatch` only when it still is what was read. */
  async remove(id: string, options: Partial<ChangeOptions> = {}): Promise<void> {
    const { ifMatch: match, ...rest } = options;
    const headers = match === undefined ? {} : ifMatch({ ifMatch: match });
    await this.transport.send('DELETE', pathOf(this.name, id), { ...rest, headers });
  }

  /** The newest frame message. Throws `SL_NOT_FOUND` before the first. */
  frame(id: string, options: CallOptions = {}): Promise<FrameJson> {
    return this.transport.json<FrameJson>('GET', pathOf(this.name, id, 'frame'), options);
  }

  /** The newest picture, as JPEG. Throws `SL_NOT_FOUND` before the first. */
  async picture(id: string, options: CallOptions = {}): Promise<Uint8Array> {
    const path = pathOf(this.name, id, 'snapshot.jpg');
    return new Uint8Array(await (await this.transport.send('GET', path, options)).arrayBuffer());
  }
}
