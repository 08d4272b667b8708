import { resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import { defaulted, strictObject } from '../../common/schema.ts';
import type { OutboxOptions } from '../../outbox/options.ts';

export const OUTBOX_DEFAULTS = {
  maxBytes: 10 * 1024 ** 3,
  maxAgeMs: 14 * 24 * 3600 * 1000,
  commitIntervalMs: 150,
  minFreeBytes: 256 * 1024 ** 2,
  minFreePercent: 1,
  minFreeInodePercent: 1,
  deadLetterBytes: 256 * 1024 ** 2,
  deadLetterAgeMs: 14 * 24 * 3600 * 1000,
};

const Percent = (description: string) => Type.Number({ minimum: 0, maximum: 50, description });

/** What the outbox holds, and for how long. */
export const OutboxConfig = strictObject({
  maxBytes: defaulted(
    Type.Integer({ minimum: 1024 * 1024, description: 'From 90 % of it on records are shed' }),
    OUTBOX_DEFAULTS.maxBytes,
  ),
  maxAgeMs: defaulted(
    Type.Integer({ minimum: 1000, description: 'Older records are shed' }),
    OUTBOX_DEFAULTS.maxAgeMs,
  ),
  commitIntervalMs: defaulted(
    Type.Integer({
      minimum: 0,
      maximum: 10_000,
      description: 'How long records gather for one commit: latency against CPU',
    }),
    OUTBOX_DEFAULTS.commitIntervalMs,
  ),
  minFreeBytes: defaulted(
    Type.Integer({
      minimum: 0,
      description: 'Has to stay free on the disk, else records are shed',
    }),
    OUTBOX_DEFAULTS.minFreeBytes,
  ),
  minFreePercent: defaulted(
    Percent('The same in % of the disk; the larger of both counts'),
    OUTBOX_DEFAULTS.minFreePercent,
  ),
  minFreeInodePercent: defaulted(
    Percent('The same for its inodes, else pictures are shed'),
    OUTBOX_DEFAULTS.minFreeInodePercent,
  ),
  deadLetterBytes: defaulted(
    Type.Integer({ minimum: 1024 * 1024, description: 'Beyond it the oldest dead letters go' }),
    OUTBOX_DEFAULTS.deadLetterBytes,
  ),
  deadLetterAgeMs: defaulted(
    Type.Integer({ minimum: 1000, description: 'Older dead letters go' }),
    OUTBOX_DEFAULTS.deadLetterAgeMs,
  ),
  encryption: Type.Optional(
    strictObject(
      {
        keyFile: Type.String({
          minLength: 1,
          description: '32 bytes, raw, in hex or in base64. Relative to this file',
        }),
        previousKeyFile: Type.Optional(
          Type.String({ minLength: 1, description: 'While records sealed with it are left' }),
        ),
      },
      { description: 'Seals payloads on the disk with AES-256-GCM' },
    ),
  ),
});
type OutboxConfig = Static<typeof OutboxConfig>;

/** @param baseDir folder of the configuration file */
export function outboxOptions(
  { encryption, ...limits }: OutboxConfig,
  baseDir: string,
): Pick<OutboxOptions, 'limits' | 'encryption'> {
  if (encryption === undefined) return { limits };
  const { keyFile, previousKeyFile } = encryption;
  const previous =
    previousKeyFile === undefined ? {} : { previousKeyFile: resolve(baseDir, previousKeyFile) };
  return { limits, encryption: { keyFile: resolve(baseDir, keyFile), ...previous } };
}
