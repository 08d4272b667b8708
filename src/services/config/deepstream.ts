import { Type } from 'typebox';
import { defaulted, strictObject } from '../../common/schema.ts';

export const DEEPSTREAM_DEFAULTS = {
  cacheMaxBytes: 20 * 1024 ** 3,
  cacheMaxAgeDays: 90,
  buildLimitMs: 30 * 60_000,
};

/** What a machine with NVIDIA's DeepStream needs. */
export const DeepStreamConfig = strictObject(
  {
    cacheDir: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Folder of TensorRT engines; default: engines in dataDir. Relative to this file',
      }),
    ),
    cacheMaxBytes: defaulted(
      Type.Integer({
        minimum: 0,
        description: 'Beyond it the longest unused engines go, at start',
      }),
      DEEPSTREAM_DEFAULTS.cacheMaxBytes,
    ),
    cacheMaxAgeDays: defaulted(
      Type.Integer({ minimum: 1, maximum: 3650, description: 'Engines unused for so long go' }),
      DEEPSTREAM_DEFAULTS.cacheMaxAgeDays,
    ),
    buildLimitMs: defaulted(
      Type.Integer({
        minimum: 60_000,
        maximum: 24 * 3600 * 1000,
        description: 'Longest build of one engine',
      }),
      DEEPSTREAM_DEFAULTS.buildLimitMs,
    ),
  },
  { description: 'Engines of the DeepStream backend' },
);
