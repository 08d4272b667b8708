/** What a worker's last lines tell of: GStreamer's log, a pipeline's bus, the worker itself. */
export type BlackBoxKind = 'log' | 'bus' | 'milestone';

export interface BlackBoxEntry {
  /** CLOCK_MONOTONIC of the machine, ns since its start: process.hrtime.bigint() of any process. */
  readonly monotonicNs: bigint;
  readonly kind: BlackBoxKind;
  /** Of a log line: GStreamer's name of the level. */
  readonly level?: string;
  /** Without the credentials of URLs; other secrets may stand in it, though never a part of one. */
  readonly text: string;
}

/** The worker's descriptor of the file, which its parent opens; a worker without it keeps no black box. */
export const BLACK_BOX_FD = 5;

const MAGIC = 'SLBB0001';
const SLOT_HEADER_BYTES = 24;
const KINDS: readonly (BlackBoxKind | undefined)[] = [undefined, 'log', 'bus', 'milestone'];
const LEVELS = ['none', 'error', 'warning', 'fixme', 'info'];

/**
 * Reads the file that a worker's native code wrote (native/addon/black_box.cc), also one that was killed in the middle of
 * a line: oldest line first, what was being written or is no line left out. Empty for what is no black box.
 */
export function readBlackBox(file: Buffer): readonly BlackBoxEntry[] {
  if (file.length < SLOT_HEADER_BYTES || file.toString('latin1', 0, 8) !== MAGIC) return [];
  const slotBytes = file.readUInt32LE(8);
  if (slotBytes <= SLOT_HEADER_BYTES) return [];
  const found: { readonly number: bigint; readonly entry: BlackBoxEntry }[] = [];
  for (let at = slotBytes; at + slotBytes <= file.length; at += slotBytes) {
    const number = file.readBigUInt64LE(at);
    const entry = readSlot(file.subarray(at, at + slotBytes));
    if (number > 0n && entry !== undefined) found.push({ number, entry });
  }
  found.sort((a, b) => (a.number < b.number ? -1 : 1));
  return found.map(({ entry }) => entry);
}

function readSlot(slot: Buffer): BlackBoxEntry | undefined {
  const length = slot.readUInt16LE(20);
  const kind = KINDS[slot.readUInt8(22)];
  if (kind === undefined || length > slot.length - SLOT_HEADER_BYTES) return undefined;
  const text = slot.subarray(SLOT_HEADER_BYTES, SLOT_HEADER_BYTES + length);
  if (checksum(text) !== slot.readUInt32LE(16)) return undefined;
  const level = LEVELS[slot.readUInt8(23)];
  return {
    monotonicNs: slot.readBigUInt64LE(8),
    kind,
    ...(kind === 'log' && level !== undefined ? { level } : {}),
    text: text.toString('utf8'),
  };
}

/** FNV-1a, 32 bits. */
function checksum(bytes: Buffer): number {
  let sum = 2166136261;
  for (const byte of bytes) sum = Math.imul(sum ^ byte, 16777619);
  return sum >>> 0;
}
