import type { Incident, Job, Pipeline, Stream } from '../api/schemas.ts';
import { allOf, change, pageAt, Resource, readModifyWrite } from './resource.ts';
import { ifMatch, newKey, pathOf } from './transport.ts';
import type {
  CallOptions,
  Changed,
  ChangeOptions,
  ListOptions,
  Page,
  Patch,
  PipelineInput,
  PipelineStreamInput,
  PostOptions,
} from './types.ts';

export interface PipelineFilters {
  readonly source?: Pipeline['source'];
  readonly kind?: Pipeline['kind'];
}

export class Pipelines extends Resource<Pipeline, PipelineFilters> {
  /** Starts a pipeline. Throws `SL_CONFLICT` when there is one with this id. */
  create(spec: PipelineInput, { idempotencyKey = newKey(), ...options }: PostOptions = {}) {
    const call = { ...options, body: spec, idempotencyKey };
    return change<Pipeline>(this.transport, 'POST', pathOf(this.name), call);
  }

  /**
   * Makes the world so: without `ifMatch` there must be none yet, with it there must be one. Throws
   * `SL_PRECONDITION_FAILED`.
   */
  put(spec: PipelineInput, options: Partial<ChangeOptions> = {}): Promise<Changed<Pipeline>> {
    const { ifMatch: match, ...rest } = options;
    const headers = match === undefined ? { 'if-none-match': '*' } : ifMatch({ ifMatch: match });
    const call = { ...rest, body: spec, headers };
    return change<Pipeline>(this.transport, 'PUT', pathOf(this.name, spec.id), call);
  }

  /** Changes parts of its spec, when it still is what was read. */
  patch(id: string, patch: Patch, options: ChangeOptions): Promise<Changed<Pipeline>> {
    const { signal } = options;
    const call = { body: patch, headers: ifMatch(options), ...(signal && { signal }) };
    return change<Pipeline>(this.transport, 'PATCH', pathOf(this.name, id), call);
  }

  /** Replaces its spec by what `next` makes of it as it is now; again, when it was changed in between. */
  update(
    id: string,
    next: (spec: PipelineInput, now: Pipeline) => PipelineInput,
    options: CallOptions = {},
  ): Promise<Changed<Pipeline>> {
    return readModifyWrite(
      () => this.get(id, options),
      (now, headers) =>
        change<Pipeline>(this.transport, 'PUT', pathOf(this.name, id), {
          ...options,
          ...{ body: next(now.spec as unknown as PipelineInput, now), headers },
        }),
    );
  }

  /** Drains and forgets it with its streams. Default of `ifMatch`: any. */
  async remove(id: string, options: Partial<ChangeOptions> = {}): Promise<void> {
    const { ifMatch: match = 'any', ...rest } = options;
    const headers = ifMatch({ ifMatch: match });
    await this.transport.send('DELETE', pathOf(this.name, id), { ...rest, headers });
  }

  /** Over to a fresh worker, without a gap: `jobs.wait(job.id)`. */
  restart(id: string, { idempotencyKey = newKey(), ...options }: PostOptions = {}): Promise<Job> {
    const call = { ...options, idempotencyKey };
    return this.transport.json<Job>('POST', pathOf(this.name, id, 'restart'), call);
  }

  /** Adds a stream to a pipeline that runs. */
  addStream(
    id: string,
    stream: PipelineStreamInput,
    { idempotencyKey = newKey(), ...options }: PostOptions = {},
  ): Promise<Changed<Stream>> {
    const call = { ...options, body: stream, idempotencyKey };
    return change<Stream>(this.transport, 'POST', pathOf(this.name, id, 'streams'), call);
  }

  /** A page of its incidents, newest first. */
  incidents(id: string, options: ListOptions = {}): Promise<Page<Incident>> {
    return pageAt<Incident>(this.transport, pathOf(this.name, id, 'incidents'), options);
  }

  allIncidents(id: string, options: ListOptions = {}): AsyncGenerator<Incident> {
    return allOf<Incident>(this.transport, pathOf(this.name, id, 'incidents'), options);
  }

  incident(id: string, n: number, options: CallOptions = {}): Promise<Incident> {
    return this.transport.json<Incident>('GET', pathOf(this.name, id, 'incidents', n), options);
  }

  /** One file of an incident, as text. */
  async incidentFile(id: string, n: number, name: string, options: CallOptions = {}) {
    const path = pathOf(this.name, id, 'incidents', n, 'files', name);
    return (await this.transport.send('GET', path, options)).text();
  }

  /** Path of the archive of an incident (tar, gzip). */
  incidentArchive(id: string, n: number): string {
    return pathOf(this.name, id, 'incidents', n, 'download');
  }
}
