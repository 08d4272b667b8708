import { checkValue } from '../../common/check.ts';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { Orchestrator, StreamState, StreamView } from '../../control/types.ts';
import { StreamSpec } from '../../pipeline/spec.ts';
import { Refused } from './answer.ts';
import { idFor } from './camera-id.ts';
import type { StreamRequest } from './parse-stream.ts';
import { SourceIds } from './source-ids.ts';

/** Kept with a stream, so that it is known under the same names after a restart. */
const LABELS = {
  cameraId: 'nvidia.camera_id',
  cameraName: 'nvidia.camera_name',
  sourceId: 'nvidia.source_id',
} as const;
const SENSOR_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const MAX_NAME_LENGTH = 1024;
const LIVE: ReadonlySet<StreamState> = new Set(['live', 'degraded']);
const WAITING: ReadonlySet<StreamState> = new Set(['preparing', 'pending', 'connecting']);

/** How an add is answered: as NVIDIA's server does, once the stream exists; or once it is known to give pictures. */
export type Compat = 'strict' | 'honest';

export interface StreamsOptions {
  readonly orchestrator: Orchestrator;
  readonly logger: Logger;
  readonly compat: Compat;
  /** Most streams at a time; their numbers are below it. */
  readonly maxStreams: number;
  /** `honest`: how long an add waits for the first picture. ms */
  readonly addTimeoutMs: number;
}

/** A stream as clients of this API know it. */
export interface Camera {
  readonly view: StreamView;
  readonly cameraId: string;
  readonly cameraName: string;
  /** -1 where all numbers were taken. */
  readonly sourceId: number;
}

/** The streams of the server under the names of NVIDIA's API. */
export class NvidiaStreams {
  readonly #options: StreamsOptions;
  readonly #ids: SourceIds;
  /** Camera ids that are being added, by the id of their stream. */
  readonly #adding = new Map<string, string>();

  constructor(options: StreamsOptions) {
    this.#options = options;
    this.#ids = new SourceIds(options.maxStreams);
  }

  /** Every stream, newest first. */
  list(): readonly Camera[] {
    const views = this.#options.orchestrator.listStreams();
    const known = new Set([...views.map(({ id }) => id), ...this.#adding.keys()]);
    this.#ids.retain(known);
    const fresh = views.filter(({ id }) => this.#ids.of(id) === undefined);
    for (const { id, labels } of fresh) {
      if (labels?.[LABELS.sourceId] !== undefined) {
        this.#ids.restore(id, Number(labels[LABELS.sourceId]));
      }
    }
    for (const { id } of fresh) if (this.#ids.of(id) === undefined) this.#ids.take(id);
    return views.map((view) => this.#camera(view)).reverse();
  }

  /** Undefined for a number that no stream has. */
  find(sourceId: number): Camera | undefined {
    return this.list().find((camera) => camera.sourceId === sourceId && sourceId >= 0);
  }

  /** Throws Refused with NVIDIA's text. */
  async add(request: StreamRequest): Promise<void> {
    const cameras = this.list();
    const { cameraId } = request;
    const ids = new Set([...cameras.map(({ view }) => view.id), ...this.#adding.keys()]);
    if (ids.size >= this.#options.maxStreams) {
      throw failed('STREAM_ADD_FAIL, Active sources exceded max-batch-size of nvstreammux');
    }
    const id = idFor(cameraId);
    const taken = (camera: Camera) => camera.cameraId === cameraId || camera.view.id === id;
    if (cameras.some(taken) || this.#adding.has(id)) throw duplicate();
    this.#adding.set(id, cameraId);
    try {
      await this.#create(id, request);
    } catch (error) {
      const { code, message } = toSightlineError(error);
      this.#options.logger.warn({ streamId: id, code, message }, 'nvidia.add-failed');
      if (code === 'SL_CONFLICT') throw duplicate();
      throw failed('STREAM_ADD_FAIL, Failed to add source stream');
    } finally {
      this.#adding.delete(id);
    }
    if (this.#options.compat === 'honest') await this.#untilLive(id);
  }

  /** Throws Refused with NVIDIA's text. */
  async remove({ cameraId, cameraUrl }: StreamRequest): Promise<void> {
    const { orchestrator, logger } = this.#options;
    const camera = this.list().find(
      ({ view, cameraId: id }) => id === cameraId && orchestrator.hasUrl(view.id, cameraUrl),
    );
    if (camera === undefined) {
      throw failed('STREAM_REMOVE_FAIL, No record found. Failed to remove source stream');
    }
    try {
      await orchestrator.removeStream(camera.view.id);
    } catch (error) {
      const { code, message } = toSightlineError(error);
      logger.warn({ streamId: camera.view.id, code, message }, 'nvidia.remove-failed');
      throw failed('STREAM_REMOVE_FAIL,Failed to remove source stream');
    }
  }

  #camera(view: StreamView): Camera {
    const { labels = {}, spec } = view;
    const sensorId = spec['sensorId'];
    return {
      view,
      cameraId:
        labels[LABELS.cameraId] ?? (typeof sensorId === 'string' ? sensorId : undefined) ?? view.id,
      cameraName: labels[LABELS.cameraName] ?? view.id,
      sourceId: this.#ids.of(view.id) ?? -1,
    };
  }

  async #create(id: string, { cameraId, cameraName, cameraUrl }: StreamRequest): Promise<void> {
    if (Math.max(cameraId.length, cameraName.length) > MAX_NAME_LENGTH) {
      const message = `A camera's id and name have at most ${MAX_NAME_LENGTH} characters`;
      throw new SightlineError('SL_REQUEST_INVALID', message);
    }
    const spec = checkValue(
      {
        id,
        source: { type: 'rtsp', url: cameraUrl },
        ...(SENSOR_ID.test(cameraId) ? { sensorId: cameraId } : {}),
        // Nothing yet: roi/update gives it zones.
        analytics: {},
      },
      StreamSpec,
      { subject: `camera "${id}"` },
    );
    const sourceId = this.#ids.take(id);
    const labels = {
      [LABELS.cameraId]: cameraId,
      [LABELS.cameraName]: cameraName,
      [LABELS.sourceId]: String(sourceId ?? -1),
    };
    await this.#options.orchestrator.createStream(spec, { labels });
  }

  /** Waits for the first picture. A stream that fails before, or is not live in time, is removed again. */
  async #untilLive(id: string): Promise<void> {
    const { orchestrator, logger, addTimeoutMs } = this.#options;
    const signal = AbortSignal.timeout(addTimeoutMs);
    const events = orchestrator.events.subscribe({ signal });
    const steps = events[Symbol.asyncIterator]();
    let state = this.#stateOf(id);
    while (state !== undefined && WAITING.has(state)) {
      if ((await steps.next()).done === true) break;
      state = this.#stateOf(id);
    }
    events.close();
    if (state !== undefined && LIVE.has(state)) return;
    const reason = state === undefined ? undefined : orchestrator.getStream(id).status.reason;
    const facts = { streamId: id, state, code: reason?.code, message: reason?.message };
    logger.warn(facts, 'nvidia.add-failed');
    await orchestrator.removeStream(id, { drainMs: 0 }).catch(() => undefined);
    throw failed('STREAM_ADD_FAIL, Failed to add source stream');
  }

  /** Undefined for a stream that was removed meanwhile. */
  #stateOf(id: string): StreamState | undefined {
    const { orchestrator } = this.#options;
    return orchestrator.listStreams().find((stream) => stream.id === id)?.status.state;
  }
}

function failed(reason: string): Refused {
  return new Refused(500, reason);
}

function duplicate(): Refused {
  return failed('STREAM_ADD_FAIL, Duplicate Camera id, unable to add stream');
}
