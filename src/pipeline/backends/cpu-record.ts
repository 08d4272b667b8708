import { join } from 'node:path';
import { problemsError } from '../../common/check.ts';
import type { GraphNode } from '../graph.ts';
import type { ResolvedPipeline, ResolvedStream } from '../resolved.ts';
import { node } from './nodes.ts';

/** Where recorded video goes. */
export const RECORDER = 'record';

/**
 * The element that writes a stream's coded video into files of `recordDir/<stream id>`; undefined for a stream that is
 * not recorded.
 */
export function recordNode(
  { id, record }: Pick<ResolvedStream, 'id' | 'record'>,
  recordDir: string | undefined,
): GraphNode | undefined {
  if (record === undefined || recordDir === undefined) return undefined;
  const properties = {
    folder: join(recordDir, id),
    container: record.container,
    'segment-ms': record.segmentSeconds * 1000,
    'fragment-ms': record.fragmentMs,
    'max-held-bytes': record.maxHeldBytes,
  };
  return node(RECORDER, 'slrecord', 'record', properties, { origin: record.pointer });
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
