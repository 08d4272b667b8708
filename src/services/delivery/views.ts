import type { DeadLetter, DeadLetterPayload, Sink } from '../../api/schemas.ts';
import { decodeFrame, frameToJson } from '../../metadata/frame.ts';
import { decodeImage } from '../../metadata/image.ts';
import type { Outbox } from '../../outbox/outbox.ts';
import type { DeadLetter as StoredLetter, WholeDeadLetter } from '../../outbox/protocol.ts';
import type { SinkCounts } from '../../outbox/stats.ts';
import type { RunningSink } from './sink-book.ts';

/** A sink as the API shows it. */
export function sinkView(sink: RunningSink, outbox: Outbox): Sink {
  const { spec, shown, source, generation, createdAt, updatedAt, delivery, error } = sink;
  const times = {
    ...(createdAt && { createdAt: createdAt.toISOString() }),
    ...(updatedAt && { updatedAt: updatedAt.toISOString() }),
  };
  const facts = { type: spec.type, source, generation, ...times, spec: shown };
  if (delivery === undefined) {
    const at = updatedAt ?? new Date(0);
    return {
      ...countsView(outbox.countsOf(spec.id)),
      ...facts,
      state: 'invalid',
      ...(error && {
        lastError: { code: error.code, message: error.message, at: at.toISOString() },
      }),
    };
  }
  const stats = delivery.stats();
  const { state, pauseReason, circuit, nextAttemptInMs, retries, lastError, backupObjects } = stats;
  return {
    ...countsView(stats),
    ...facts,
    ...{ state, circuit, nextAttemptInMs, retries },
    ...(pauseReason && { pauseReason }),
    ...(lastError && { lastError }),
    ...(backupObjects === undefined ? {} : { backupObjects }),
  };
}

/** A sink that is gone and left a backlog. */
export function orphanView(counts: SinkCounts): Sink {
  return {
    ...countsView(counts),
    type: 'unknown',
    source: 'gone',
    generation: 0,
    state: 'orphaned',
  };
}

function countsView(counts: SinkCounts) {
  const { id, required, accepted, delivered, filtered, deadLettered, shed, pending } = counts;
  const { oldestAgeMs } = counts;
  return { id, required, accepted, delivered, filtered, deadLettered, shed, pending, oldestAgeMs };
}

export function letterView(letter: StoredLetter): DeadLetter {
  const { id, sinkId, kind, streamId, recordId, attempts, code, reason, payloadBytes } = letter;
  return {
    ...{ id: String(id), sinkId, kind, streamId, recordId, attempts },
    capturedAt: new Date(letter.atMs).toISOString(),
    deadAt: new Date(letter.deadMs).toISOString(),
    reason: { code, message: reason },
    payloadBytes,
  };
}

/** The letter with what can be shown of its record: pictures by size and type alone. */
export function wholeLetterView(letter: WholeDeadLetter): DeadLetter {
  return { ...letterView(letter), payload: payloadOf(letter) };
}

function payloadOf({ kind, payload }: WholeDeadLetter): DeadLetterPayload {
  try {
    if (kind === 'frame') return { frame: frameToJson(decodeFrame(payload)) as object };
    if (kind === 'event') return { event: JSON.parse(Buffer.from(payload).toString('utf8')) };
    const { contentType, ref, data } = decodeImage(payload);
    return { image: { contentType, ref, bytes: data.byteLength } };
  } catch {
    return { damaged: true };
  }
}
