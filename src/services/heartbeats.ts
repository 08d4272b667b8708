import type { OutboxRecord } from '../common/delivery.ts';
import type { Orchestrator, StreamView } from '../control/types.ts';
import type { DeliveryService } from './delivery/service.ts';

export interface HeartbeatOptions {
  readonly orchestrator: Pick<Orchestrator, 'listStreams'>;
  readonly delivery: Pick<DeliveryService, 'accept'>;
  /** Epoch with which the fleet lets a stream run here; undefined for one that is not of the fleet. */
  readonly epochOf: (streamId: string) => number | undefined;
  /** 0: never. */
  readonly everyMs: number;
}

/**
 * Says regularly of each stream how it is, in records of the kind `event` (type `stream.heartbeat`): whoever places
 * streams on boxes sees from their absence that a box is gone, and from their state that a camera is. They are not in
 * the log of events: nothing happened. Returns how to end it.
 */
export function startHeartbeats(options: HeartbeatOptions): () => void {
  const { orchestrator, delivery, epochOf, everyMs } = options;
  if (everyMs === 0) return () => undefined;
  let beat = 0;
  const timer = setInterval(() => {
    beat += 1;
    const atMs = Date.now();
    const streams = orchestrator.listStreams();
    void delivery.accept(
      streams.map((stream) => heartbeat(stream, beat, atMs, epochOf(stream.id))),
    );
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

function heartbeat(
  { id, pipelineId, spec, status }: StreamView,
  beat: number,
  atMs: number,
  epoch: number | undefined,
) {
  const { state, since, attempt, session, reason, lastFrameAt, fps, counters } = status;
  const sinks = spec['sinks'] as readonly string[] | undefined;
  const time = new Date(atMs).toISOString();
  const event = {
    ...{ time, type: 'stream.heartbeat', streamId: id, pipelineId, beat, state, since, attempt },
    ...(epoch === undefined ? {} : { epoch }),
    ...(session === undefined ? {} : { session }),
    ...(reason === undefined ? {} : { reason: { code: reason.code, message: reason.message } }),
    ...(lastFrameAt === undefined ? {} : { lastFrameAt }),
    framesArrived: counters.framesArrived,
    reconnects: counters.reconnects,
    fps: fps.decoded,
  };
  const record: OutboxRecord = {
    kind: 'event',
    streamId: id,
    recordId: `heartbeat/${id}/${time}`,
    atMs,
    payload: Buffer.from(JSON.stringify(event)),
    ...(sinks === undefined ? {} : { sinks }),
  };
  return record;
}
