import type { RecordKind } from '../common/delivery.ts';
import type { OutboxLimits } from './options.ts';

/**
 * How close the outbox is to a bound: from `warn` people should look, from `shed` on the least valuable records are
 * given up, at `emergency` new frames and pictures are refused, at `full` new events too.
 */
export type PressureLevel = 'ok' | 'warn' | 'shed' | 'emergency' | 'full';

/** Which bound: `outbox.maxBytes`, the free space or the free inodes of the file system. */
export type PressureCause = 'bytes' | 'free-space' | 'inodes';

export interface Pressure {
  readonly level: PressureLevel;
  /** Absent where the level is `ok`. */
  readonly cause?: PressureCause;
}

/** What is free on the file system, for this user. Inodes are 0 of 0 where it does not count them. */
export interface DiskSpace {
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly totalInodes: number;
  readonly freeInodes: number;
}

export type SpaceLimits = Pick<
  Required<OutboxLimits>,
  'maxBytes' | 'minFreeBytes' | 'minFreePercent' | 'minFreeInodePercent'
>;

const LEVELS: readonly PressureLevel[] = ['ok', 'warn', 'shed', 'emergency', 'full'];
/** Shares of `maxBytes` at which each level above `ok` begins. */
const SHARES = [0.8, 0.9, 0.95, 1];
/** The same for what is free: multiples of the reserve that has to stay free. A disk is never `full` by that. */
const RESERVES = [2, 1, 0.5];

export function pressureOf(
  storedBytes: number,
  space: DiskSpace | undefined,
  limits: SpaceLimits,
): Pressure {
  const found: Pressure[] = [{ level: byShare(storedBytes / limits.maxBytes), cause: 'bytes' }];
  if (space !== undefined) {
    const reserve = reserveBytes(space, limits);
    const inodes = (space.totalInodes * limits.minFreeInodePercent) / 100;
    found.push({ level: byReserve(space.freeBytes, reserve), cause: 'free-space' });
    found.push({ level: byReserve(space.freeInodes, inodes), cause: 'inodes' });
  }
  found.sort((a, b) => LEVELS.indexOf(b.level) - LEVELS.indexOf(a.level));
  const [worst] = found;
  return worst!.level === 'ok' ? { level: 'ok' } : worst!;
}

/** Bytes to give up so that no bound asks for more; 0 for none. */
export function excessBytes(
  storedBytes: number,
  space: DiskSpace | undefined,
  limits: SpaceLimits,
): number {
  const overShare = storedBytes - 0.9 * limits.maxBytes;
  const short = space === undefined ? 0 : reserveBytes(space, limits) - space.freeBytes;
  return Math.max(0, overShare, short);
}

/** Whether a new record of the kind is refused. */
export function isRefused({ level }: Pressure, kind: RecordKind): boolean {
  return level === 'full' || (level === 'emergency' && kind !== 'event');
}

export function isAtLeast({ level }: Pressure, least: PressureLevel): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}

function reserveBytes({ totalBytes }: DiskSpace, limits: SpaceLimits): number {
  return Math.max(limits.minFreeBytes, (totalBytes * limits.minFreePercent) / 100);
}

function byShare(share: number): PressureLevel {
  return LEVELS[SHARES.filter((from) => share >= from).length]!;
}

function byReserve(free: number, reserve: number): PressureLevel {
  return LEVELS[RESERVES.filter((factor) => free < factor * reserve).length]!;
}
