import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  EpochFence,
  fromHttp,
  rejectStale,
  type SightlineRecord,
} from '../../src/consumer/index.ts';
import { decodeImage } from '../../src/metadata/image.ts';
import { type TimestampParts, timestampToMs } from '../../src/metadata/timestamp.ts';

/** A record of a fleet's stream as it came. */
export interface Arrived {
  /** Name of the box that sent it. */
  readonly box: string;
  readonly streamId: string;
  readonly epoch: number;
  /** When the camera's picture was taken, by this machine's wall clock. */
  readonly captureMs: number;
  /** When it came, by `performance.now()`. */
  readonly atMs: number;
}

/** What the boxes of a fleet post, in the order it comes, with a consumer's fence in front. */
export class FleetConsumer implements AsyncDisposable {
  readonly accepted: Arrived[] = [];
  readonly stale: Arrived[] = [];
  readonly fence = new EpochFence();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<FleetConsumer> {
    const server = createServer();
    const consumer = new FleetConsumer(server);
    server.on('request', async (request, response) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of request) chunks.push(chunk as Buffer);
        consumer.#take(
          (request.url ?? '').slice(1),
          fromHttp(Buffer.concat(chunks), request.headers),
        );
        response.writeHead(204).end();
      } catch {
        // The box was killed in the middle of it, and posts it again after its restart.
        response.destroy();
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return consumer;
  }

  urlOf(box: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${box}`;
  }

  /** The first record of the stream that was accepted with an epoch above this one. */
  firstAbove(streamId: string, epoch: number): Arrived | undefined {
    return this.accepted.find((record) => record.streamId === streamId && record.epoch > epoch);
  }

  /** Highest epoch of every stream so far. */
  epochs(): ReadonlyMap<string, number> {
    return new Map(this.fence.entries());
  }

  #take(box: string, records: readonly SightlineRecord[]): void {
    const atMs = performance.now();
    const fresh = new Set(rejectStale(records, this.fence));
    for (const record of records) {
      const arrived = { box, streamId: record.streamId, atMs, ...ownerOf(record) };
      (fresh.has(record) ? this.accepted : this.stale).push(arrived);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function ownerOf(record: SightlineRecord): Pick<Arrived, 'epoch' | 'captureMs'> {
  if (record.kind === 'frame') {
    const { epoch = 0, timestamp = '' } = record.frame;
    return { epoch: Number(epoch), captureMs: Date.parse(timestamp) };
  }
  if (record.kind !== 'image') throw new Error(`A fleet box posted a ${record.kind}`);
  const { timestamp } = decodeImage(record.bytes);
  return { epoch: record.epoch ?? 0, captureMs: timestampToMs(timestamp as TimestampParts) };
}
