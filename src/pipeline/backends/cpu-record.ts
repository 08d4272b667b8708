import { join } from 'node:path';
import { problemsError } from '../../common/check.ts';
import type { GraphNode } from '../graph.ts';
import type { ResolvedPipeline, ResolvedStream } from '../resolved.ts';
import { type NodeFacts, node } from './nodes.ts';

/** Where recorded video enters its branch. */
export const RECORD_QUEUE = 'record-queue';

/** Coded video that may wait for a slow disk, by time and by bytes; with more the source waits, and nothing is dropped. */
const WAITING_NS = 10_000_000_000;
const WAITING_BYTES = 16 * 1024 * 1024;

/**
 * The branch that writes a stream's coded video into files of `recordDir/<stream id>`: none for a stream that is not
 * recorded. `suffix` ends the ids where several streams share a graph.
 */
export function recordNodes(
  stream: ResolvedStream,
  recordDir: string | undefined,
  { suffix = '', facts = {} }: { readonly suffix?: string; readonly facts?: NodeFacts } = {},
): GraphNode[] {
  const { id, record } = stream;
  if (record === undefined || recordDir === undefined) return [];
  const from = { ...facts, origin: record.pointer };
  const waiting = {
    'max-size-buffers': 0,
    'max-size-bytes': WAITING_BYTES,
    'max-size-time': WAITING_NS,
  };
  return [
    node(`${RECORD_QUEUE}${suffix}`, 'queue', 'record', waiting, from),
    node(
      `record${suffix}`,
      'slrecord',
      'record',
      {
        folder: join(recordDir, id),
        container: record.container,
        'segment-ms': record.segmentSeconds * 1000,
        'fragment-ms': record.fragmentMs,
        'max-held-bytes': record.maxHeldBytes,
      },
      from,
    ),
  ];
}

/**
 * @throws SightlineError `SL_BACKEND_UNSUPPORTED` with the pointers of what is to be recorded, where no folder is set for it.
 */
export function assertRecordable(
  { id, streams }: ResolvedPipeline,
  recordDir: string | undefined,
): void {
  if (recordDir !== undefined) return;
  const pointers = new Set(streams.flatMap(({ record }) => record?.pointer ?? []));
  if (pointers.size === 0) return;
  const message = 'this server keeps no recordings: its configuration names no folder for them';
  throw problemsError(
    [...pointers].map((pointer) => ({ pointer, message })),
    { code: 'SL_BACKEND_UNSUPPORTED', subject: `pipeline "${id}"` },
  );
}
