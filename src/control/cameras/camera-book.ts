import { isDeepStrictEqual } from 'node:util';
import { SightlineError } from '../../common/errors.ts';
import { checkPreconditions } from '../desired/preconditions.ts';
import type { EventLog } from '../event-log.ts';
import type { KeptCamera, Registry } from '../registry.ts';
import { sealSpec } from '../sealed-spec.ts';
import type { Clock } from '../stream-state.ts';
import type {
  CameraSpec,
  Cameras,
  CameraView,
  JsonObject,
  PutOptions,
  StreamState,
} from '../types.ts';
import { Reachable } from './reachable.ts';

const CHECK_MS = 500;

export interface CameraBookOptions {
  readonly events: EventLog;
  readonly clock: Clock;
  /** Throws `SL_CLOSED` before start() and after close(). */
  readonly registry: () => Registry;
  /** The streams whose sensorId (default: their id) is the camera's. */
  readonly streamsOf: (
    cameraId: string,
  ) => readonly { readonly id: string; readonly state: StreamState }[];
}

interface Camera {
  kept: KeptCamera;
  readonly reachable: Reachable;
  report?: JsonObject;
}

/** Cameras as declared, with what they say of themselves. What they say never changes a stream. */
export class CameraBook implements Cameras {
  readonly #options: CameraBookOptions;
  readonly #cameras = new Map<string, Camera>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CameraBookOptions) {
    this.#options = options;
  }

  /** Brings back the cameras of the registry, and begins to watch. */
  start(): void {
    for (const kept of this.#options.registry().cameras()) {
      const reachable = new Reachable(this.#options.clock, kept.spec);
      this.#cameras.set(kept.id, { kept, reachable });
    }
    this.#timer = setInterval(() => this.#check(), CHECK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  put(
    id: string,
    spec: CameraSpec,
    options: PutOptions = {},
  ): { readonly view: CameraView; readonly created: boolean } {
    const registry = this.#options.registry();
    const camera = this.#cameras.get(id);
    checkPreconditions(`camera '${id}'`, camera?.kept.generation, options);
    const before = camera?.kept;
    const labels = options.labels ?? before?.labels ?? {};
    const same = isDeepStrictEqual([spec, labels], [before?.spec, before?.labels]);
    if (camera !== undefined && same) return { view: this.#view(camera), created: false };
    const now = this.#options.clock.now();
    const createdAt = before?.createdAt ?? now;
    const generation = (before?.generation ?? 0) + 1;
    const kept = { id, spec, labels, generation, createdAt, updatedAt: now };
    registry.putCamera(kept);
    if (camera === undefined) {
      const reachable = new Reachable(this.#options.clock, spec);
      this.#cameras.set(id, { kept, reachable });
    } else {
      camera.kept = kept;
      camera.reachable.expect(spec);
    }
    const type = camera === undefined ? 'camera.created' : 'camera.changed';
    this.#options.events.emit(type, { cameraId: id, generation });
    return { view: this.get(id), created: camera === undefined };
  }

  remove(id: string, options: { generation?: number } = {}): void {
    const registry = this.#options.registry();
    const { kept } = this.#find(id);
    checkPreconditions(`camera '${id}'`, kept.generation, options);
    registry.removeCamera(id);
    this.#cameras.delete(id);
    this.#options.events.emit('camera.removed', { cameraId: id });
  }

  get(id: string): CameraView {
    return this.#view(this.#find(id));
  }

  list(): readonly CameraView[] {
    return [...this.#cameras.values()].map((camera) => this.#view(camera));
  }

  heartbeat(id: string, report?: JsonObject): CameraView {
    const camera = this.#find(id);
    // Whatever it says is shown to anyone who may look.
    if (report !== undefined) camera.report = sealSpec(report).open;
    if (camera.reachable.beat()) this.#options.events.emit('camera.reachable', { cameraId: id });
    return this.#view(camera);
  }

  #check(): void {
    for (const [cameraId, { reachable }] of this.#cameras) {
      if (!reachable.check()) continue;
      const silentMs = Math.round(reachable.silentMs);
      const why = { code: 'SL_SOURCE_UNREACHABLE', message: reachable.silence(), silentMs };
      this.#options.events.emit('camera.unreachable', { cameraId, ...why });
    }
  }

  #find(id: string): Camera {
    const camera = this.#cameras.get(id);
    if (camera !== undefined) return camera;
    throw new SightlineError('SL_NOT_FOUND', `There is no camera '${id}'`);
  }

  #view({ kept, reachable, report }: Camera): CameraView {
    const { id, spec, labels, generation, createdAt, updatedAt } = kept;
    const { lastBeat } = reachable;
    return {
      ...{ id, spec, generation },
      ...(Object.keys(labels).length === 0 ? {} : { labels: { ...labels } }),
      createdAt: createdAt.toISOString(),
      updatedAt: updatedAt.toISOString(),
      status: {
        ...(lastBeat === undefined ? {} : { lastHeartbeatAt: lastBeat.toISOString() }),
        ...(report === undefined ? {} : { lastReport: report }),
        streams: this.#options.streamsOf(id),
        conditions: [reachable.condition()],
      },
    };
  }
}
