import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { checkValue } from '../../src/common/check.ts';
import { sightline } from '../../src/gen/frame.js';
import type { EngineJob } from '../../src/query/engine.ts';
import { FileSink } from '../../src/sinks/file/sink.ts';
import { FileSinkSpec } from '../../src/sinks/file/spec.ts';
import { frameRecord, NO_LIMIT, segmentRecord, withPayload } from '../sinks/samples.ts';

export function folder(context: TestContext, name = 'sightline-query-'): string {
  const root = mkdtempSync(join(tmpdir(), name));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

interface Sample {
  readonly sequence: number;
  readonly atMs?: number;
  readonly objects?: number;
}

/** Files of the real sink. */
export async function write(root: string, samples: readonly Sample[]): Promise<void> {
  const spec = { id: 'files', type: 'file', dir: 'unused', formats: ['parquet'] };
  const sink = new FileSink({ ...checkValue(spec, FileSinkSpec), maxWaitMs: 0 }, { root });
  const records = samples.map(({ sequence, ...options }) => {
    const record = frameRecord(sequence, options);
    const frame = sightline.v1.Frame.decode(record.payload);
    frame.model = { name: 'ssd', version: '3', backend: 'cpu', executionProvider: '' };
    frame.imageRef = `pictures/${sequence}.jpg`;
    for (const object of frame.objects) {
      object.analytics = {
        ...{ zones: ['door', 'yard'], overcrowdedZones: [], linesCrossed: ['gate'] },
        ...{ direction: 'in', stopped: false },
      } as object as sightline.v1.ObjectAnalytics;
    }
    return withPayload(record, sightline.v1.Frame.encode(frame).finish());
  });
  await sink.deliver(records, NO_LIMIT);
  await sink.close();
}

/** The rows of a recorded file, by the real sink: a part of its own each time. */
export async function writeSegment(root: string, frames: number, atMs?: number): Promise<void> {
  const spec = { id: 'files', type: 'file', dir: 'unused', formats: ['parquet'] };
  const sink = new FileSink(checkValue({ ...spec, kinds: ['segment'] }, FileSinkSpec), { root });
  await sink.deliver([segmentRecord({ frames, ...(atMs && { atMs }) })], NO_LIMIT);
  await sink.close();
}

export function job(folders: readonly string[], sql: string, more: Partial<EngineJob> = {}) {
  const limits = { maxRows: 1000, timeoutMs: 20_000, memoryBytes: 128 * 1024 * 1024 };
  return { folders, sql, parameters: [], ...limits, ...more };
}
