import type { RecordKind } from '../common/delivery.ts';
import type { Logger } from '../common/logger.ts';

const MIB = 1024 * 1024;
const DAY_MS = 24 * 3600 * 1000;

/** A sink as the outbox knows it. */
export interface OutboxSink {
  readonly id: string;
  readonly kinds: readonly RecordKind[];
  /** Default true. A best-effort sink (false) loses its backlog first when the outbox outgrows its bounds. */
  readonly required?: boolean;
}

export interface OutboxLimits {
  /**
   * Bytes that may wait on the disk. From 90 % of it on the least valuable are shed, from 95 % on new frames and
   * pictures are refused, at 100 % everything. Default 10 GiB.
   */
  readonly maxBytes?: number;
  /** What has to stay free on the file system, the larger of both; shedding begins there too. Default 256 MiB and 1 %. */
  readonly minFreeBytes?: number;
  readonly minFreePercent?: number;
  /** The same for its inodes, which only pictures take. Default 1 %. */
  readonly minFreeInodePercent?: number;
  /** How long a record may wait. Default 14 days. */
  readonly maxAgeMs?: number;
  /** Bytes that may wait in memory for the disk; beyond, `append` refuses. Default 32 MiB. */
  readonly maxQueueBytes?: number;
  /** Payloads above this go to the blob spool. Default 16 KiB. */
  readonly inlineBytes?: number;
  /** How long records gather before they are committed together. Default 150 ms; 0 commits at once. */
  readonly commitIntervalMs?: number;
  /** Newest records kept in memory for sinks that keep up. Default 8 MiB. */
  readonly cacheBytes?: number;
  /** Size of the file that is given back to a full disk. Default 32 MiB; 0 for none. */
  readonly ballastBytes?: number;
  /** Bounds of the dead letters: 256 MiB and 14 days by default; the oldest are dropped and counted. */
  readonly deadLetterBytes?: number;
  readonly deadLetterAgeMs?: number;
}

export interface OutboxOptions {
  /** Folder of the outbox alone; made when absent. */
  readonly dir: string;
  readonly sinks: readonly OutboxSink[];
  readonly limits?: OutboxLimits;
  readonly logger?: Logger;
  /** Default none: records lie on the disk as they are. */
  readonly encryption?: OutboxEncryption;
  /** The wall clock at the start, ms since the Unix epoch. Default the system's. */
  readonly wallMs?: number;
}

/** Payloads at rest are sealed with AES-256-GCM. Ids, times and the reasons of dead letters are not. */
export interface OutboxEncryption {
  /** File with the key: 32 bytes, raw, in hex or in base64. */
  readonly keyFile: string;
  /** Key of an earlier time, to read what was stored with it. */
  readonly previousKeyFile?: string;
}

export function withDefaults(limits: OutboxLimits = {}): Required<OutboxLimits> {
  return {
    maxBytes: 10 * 1024 * MIB,
    minFreeBytes: 256 * MIB,
    minFreePercent: 1,
    minFreeInodePercent: 1,
    maxAgeMs: 14 * DAY_MS,
    maxQueueBytes: 32 * MIB,
    inlineBytes: 16 * 1024,
    commitIntervalMs: 150,
    cacheBytes: 8 * MIB,
    ballastBytes: 32 * MIB,
    deadLetterBytes: 256 * MIB,
    deadLetterAgeMs: 14 * DAY_MS,
    ...limits,
  };
}
