import { join, resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import { defaulted, strictObject, tagged } from '../../common/schema.ts';
import type { RecordingSettings } from '../../recording/settings.ts';
import { FolderStore } from '../../recording/stores/folder.ts';
import { S3SegmentStore } from '../../recording/stores/s3.ts';
import { S3_BUCKET } from '../../sinks/s3/spec.ts';
import { AWS } from '../../sinks/spec-parts.ts';

const GIB = 1024 ** 3;
const DAY_MS = 24 * 3600 * 1000;

const BOUNDS_DEFAULTS = {
  maxBytes: 50 * GIB,
  maxAgeMs: 7 * DAY_MS,
  minFreeBytes: GIB,
  minFreePercent: 5,
};
const RETENTION_DEFAULTS = { maxAgeMs: 30 * DAY_MS };

const Store = tagged('type', [
  strictObject({
    type: Type.Literal('folder'),
    dir: defaulted(
      Type.String({ minLength: 1, description: 'Relative to this file' }),
      'recordings',
    ),
  }),
  strictObject({ type: Type.Literal('s3'), ...AWS, ...S3_BUCKET }),
]);

/** Where recorded segments are kept, and how much of them. */
export const RecordingConfig = strictObject(
  {
    dir: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Where workers write, and segments wait for the store; default: recordings in dataDir',
      }),
    ),
    store: Store,
    concurrency: defaulted(
      Type.Integer({ minimum: 1, maximum: 32, description: 'Segments stored at a time' }),
      2,
    ),
    keepLocalMs: defaulted(
      Type.Integer({
        minimum: 0,
        description: 'How long a segment stays on this machine after the store has it',
      }),
      0,
    ),
    bounds: defaulted(
      strictObject(
        {
          maxBytes: defaulted(Type.Integer({ minimum: 1024 ** 2 }), BOUNDS_DEFAULTS.maxBytes),
          maxAgeMs: defaulted(Type.Integer({ minimum: 1000 }), BOUNDS_DEFAULTS.maxAgeMs),
          minFreeBytes: defaulted(Type.Integer({ minimum: 0 }), BOUNDS_DEFAULTS.minFreeBytes),
          minFreePercent: defaulted(
            Type.Number({ minimum: 0, maximum: 50 }),
            BOUNDS_DEFAULTS.minFreePercent,
          ),
        },
        {
          description:
            'Of this machine: beyond them segments go, oldest first, those that the store has before those it has not',
        },
      ),
      BOUNDS_DEFAULTS,
    ),
    retention: defaulted(
      strictObject(
        {
          maxAgeMs: defaulted(Type.Integer({ minimum: 1000 }), RETENTION_DEFAULTS.maxAgeMs),
          maxBytes: Type.Optional(Type.Integer({ minimum: 1024 ** 2 })),
        },
        {
          description:
            'Of the store, for a folder; a bucket has lifecycle rules, here it says how long its segments are listed',
        },
      ),
      RETENTION_DEFAULTS,
    ),
  },
  { description: 'Recordings of streams with `record`' },
);
export type RecordingConfig = Static<typeof RecordingConfig>;

/** @param baseDir folder of the configuration file; `dataDir` absolute */
export function recordingSettings(
  config: RecordingConfig,
  { baseDir, dataDir }: { readonly baseDir: string; readonly dataDir: string },
): RecordingSettings {
  const { store, concurrency, keepLocalMs, bounds } = config;
  const { maxAgeMs, maxBytes } = config.retention;
  return {
    dir: recordDirOf(config, { baseDir, dataDir }),
    catalogueFile: join(dataDir, 'recordings.sqlite'),
    store:
      store.type === 'folder'
        ? new FolderStore(resolve(baseDir, store.dir))
        : new S3SegmentStore(store, 2 * concurrency + 2),
    ...{ concurrency, keepLocalMs, bounds },
    retention: maxBytes === undefined ? { maxAgeMs } : { maxAgeMs, maxBytes },
  };
}

/** Where workers write; absolute. */
export function recordDirOf(
  { dir }: Pick<RecordingConfig, 'dir'>,
  { baseDir, dataDir }: { readonly baseDir: string; readonly dataDir: string },
): string {
  return dir === undefined ? join(dataDir, 'recordings') : resolve(baseDir, dir);
}
