import { setTimeout as delay } from 'node:timers/promises';
import type { FrameJson } from '../../src/metadata/frame.ts';
import type { Cleanup } from '../../test/support/cleanup.ts';
import { readFrames } from '../../test/support/delivered.ts';
import { type FaultWorld, startFaultWorld } from '../../test/support/fault-world.ts';
import { Mosquitto, Subscriber } from '../../test/support/mosquitto.ts';
import { until } from '../../test/support/wait.ts';
import { assertDelivered, drained } from './delivery-checks.ts';

export const FPS = 10;
export const STREAMS = ['s1', 's2', 's3', 's4'] as const;
/** From the camera's first packet to the detector, on a machine that does much else. */
const LIVE_MS = 60_000;
const READ_MS = 30_000;

/** A server with four live streams, whose frames go to files and to a broker that has a subscriber. */
export class DeliveryWorld {
  readonly broker: Mosquitto;
  readonly #world: FaultWorld;
  readonly #subscriber: Subscriber;

  private constructor(world: FaultWorld, broker: Mosquitto, subscriber: Subscriber) {
    this.#world = world;
    this.broker = broker;
    this.#subscriber = subscriber;
  }

  static async start(
    context: Cleanup,
    env: Readonly<Record<string, string>> = {},
  ): Promise<DeliveryWorld> {
    const broker = await Mosquitto.start(context);
    const subscriber = await Subscriber.open(context, broker.url, 'sightline/#');
    const world = await startFaultWorld({
      ...{ pipelines: {}, fps: FPS, env },
      config: {
        sinks: [
          { id: 'files', type: 'file', dir: 'out', kinds: ['frame'] },
          { id: 'broker', type: 'mqtt', url: broker.url, kinds: ['frame'] },
        ],
      },
    });
    context.after(() => world[Symbol.asyncDispose]());
    const source = { type: 'rtsp', url: world.camera.urlOf('cam') };
    for (const id of STREAMS) {
      const made = await world.server.request('POST', '/v1/streams', { id, source });
      if (made.status !== 201) throw new Error(await made.text());
    }
    const started = new DeliveryWorld(world, broker, subscriber);
    await started.allLive();
    return started;
  }

  get server() {
    return this.#world.server;
  }

  async allLive(): Promise<void> {
    await Promise.all(STREAMS.map((id) => this.server.streamIn(id, ['live'], LIVE_MS)));
  }

  /** Ends every process of the server at once, then starts it again. */
  async killAndRestart(): Promise<void> {
    await this.server.killTree();
    await this.#world.restart();
  }

  async framesPublished(): Promise<number> {
    const streams = await Promise.all(STREAMS.map((id) => this.server.stream(id)));
    return streams.reduce((sum, { status }) => sum + status.counters.framesPublished, 0);
  }

  /** Ends the streams; all that was accepted must then be at both sinks, once or in copies, in order. */
  async settle(print: (line: string) => void, withinMs: number): Promise<readonly FrameJson[]> {
    for (const id of STREAMS) {
      const { status } = await this.server.request('DELETE', `/v1/streams/${id}`);
      if (status !== 204) throw new Error(`${id} could not be removed: ${status}`);
    }
    const tookMs = await drained(this.server, withinMs);
    await this.server[Symbol.asyncDispose]();
    const frames = await readFrames(`${this.#world.folder}/out`);
    const ids = new Set(frames.map(({ recordId }) => recordId));
    await until('the subscriber has them all', READ_MS, () => {
      return new Set(this.#subscriber.recordIds()).size >= ids.size;
    });
    const copies = assertDelivered(frames, this.#subscriber.recordIds());
    print(
      `${ids.size} frames; copies: ${frames.length - ids.size} in files, ${copies} at the broker; the rest took ${tookMs.toFixed(0)} ms`,
    );
    return frames;
  }
}

/** Between the two, at random. */
export function pause(leastMs: number, mostMs: number): Promise<void> {
  return delay(leastMs + Math.random() * (mostMs - leastMs));
}
