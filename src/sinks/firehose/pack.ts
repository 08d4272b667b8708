import type { Entry } from '../aws/entries.ts';

/** The lines of one or several records of the outbox, each ended by a line feed. */
export interface Lines {
  readonly indexes: readonly number[];
  readonly recordId: string;
  readonly streamId: string;
  readonly rows: number;
  readonly text: Uint8Array;
}

export interface PackLimits {
  readonly maxRows: number;
  readonly maxBytes: number;
}

/** Packs lines into records of Firehose, in their order. What comes of one record of the outbox is not torn apart. */
export function pack(lines: readonly Lines[], limits: PackLimits): Entry<{ Data: Uint8Array }>[] {
  const packs: { parts: Lines[]; rows: number; bytes: number }[] = [];
  for (const part of lines) {
    const last = packs.at(-1);
    const bytes = part.text.byteLength;
    if (
      last !== undefined &&
      last.rows + part.rows <= limits.maxRows &&
      last.bytes + bytes <= limits.maxBytes
    ) {
      last.parts.push(part);
      last.rows += part.rows;
      last.bytes += bytes;
    } else {
      packs.push({ parts: [part], rows: part.rows, bytes });
    }
  }
  return packs.map(({ parts, bytes }) => ({
    indexes: parts.flatMap(({ indexes }) => indexes),
    recordId: parts[0]!.recordId,
    streamId: parts[0]!.streamId,
    bytes,
    entry: { Data: Buffer.concat(parts.map(({ text }) => text)) },
  }));
}
