import { join } from 'node:path';
import type { PendingRecord } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';
import { decodeFrame } from '../../metadata/frame.ts';
import { decodeSegment, encodeSegment, type Segment } from '../../metadata/segment.ts';
import { timestampToMs } from '../../metadata/timestamp.ts';
import { ByteWriter } from '../format/byte-writer.ts';
import { writeJsonLine } from '../format/encode.ts';
import { cutSegment } from '../format/segment-pieces.ts';
import { DETECTIONS } from '../tables/detections.ts';
import { tableLines } from '../tables/lines.ts';
import { captureMs, RECORDED_FRAMES, SEGMENTS } from '../tables/recorded.ts';
import type { AnyTable } from '../tables/table.ts';
import { dayAndHour, fileName } from './names.ts';
import type { FileSinkSpec } from './spec.ts';

const SPARE_BYTES = 16 * 1024 * 1024;

/** Files that are written side by side. */
export interface Series {
  /** Ends the names of its files of lines. */
  readonly lines: string;
  /** Of those of protobuf; without it there are none. */
  readonly messages?: string;
  /** Of its Parquet files, and their folder below the root. */
  readonly table?: AnyTable;
  readonly folder: string;
}

const FRAMES: Series = { lines: '.ndjson', messages: '.pb', table: DETECTIONS, folder: '' };
const EVENTS: Series = { lines: '.events.ndjson', folder: '' };
const RECORDED: Series = { lines: '.frames.ndjson', table: RECORDED_FRAMES, folder: 'frames' };
const RECORDINGS: Series = {
  ...{ lines: '.segments.ndjson', messages: '.segments.pb', table: SEGMENTS, folder: 'segments' },
};
export const ALL_SERIES = [FRAMES, EVENTS, RECORDED, RECORDINGS];

/** Records, or rows of records, that go to the same files. */
export interface Group {
  readonly series: Series;
  readonly streamId: string;
  readonly folder: string;
  readonly day: string;
  readonly hour: string;
  readonly members: number[];
  /** Each line with its line feed. */
  readonly lines: ByteWriter;
  /** Each after its length. */
  readonly messages: ByteWriter;
}

/** Sorts records by the files they go to, and puts them into the formats of these. */
export class Grouper {
  readonly #groups = new Map<string, Group>();
  readonly #hasLines: boolean;
  readonly #hasMessages: boolean;
  readonly #hasParquet: boolean;
  readonly #spare: Spares;

  constructor(formats: FileSinkSpec['formats'], spare: Spares) {
    this.#hasLines = formats.includes('ndjson');
    this.#hasMessages = formats.some((format) => format !== 'ndjson');
    this.#hasParquet = formats.includes('parquet');
    this.#spare = spare;
  }

  get groups(): Group[] {
    return [...this.#groups.values()];
  }

  /**
   * @param index of the record in its batch
   * @throws SightlineError `SL_SINK_REJECTED` for damaged bytes; nothing was added then
   */
  add(index: number, record: PendingRecord): void {
    if (record.kind === 'segment') this.#addSegment(index, record);
    else this.#addRecord(index, record);
  }

  #addRecord(index: number, record: PendingRecord): void {
    const isFrame = record.kind === 'frame';
    const group = this.#groupOf(isFrame ? FRAMES : EVENTS, record.streamId, record.atMs);
    // Events have no other form.
    if (!isFrame || this.#hasLines) {
      writeJsonLine(group.lines, record);
      group.lines.text('\n');
    } else if (this.#hasParquet) readable(record, decodeFrame);
    group.members.push(index);
    if (isFrame && this.#hasMessages) group.messages.delimited(record.payload);
  }

  /** A row for the segment, and one for each of its frames in the hour of its own capture. */
  #addSegment(index: number, record: PendingRecord): void {
    const segment: Segment = readable(record, decodeSegment);
    const { streamId, payload } = record;
    const startMs = timestampToMs((segment.start ?? {}) as Parameters<typeof timestampToMs>[0]);
    this.#addRows(index, this.#groupOf(RECORDINGS, streamId, startMs), payload);
    for (const piece of cutSegment(segment, (frame) => hourOf(captureMs(frame)))) {
      const { frames } = piece.segment;
      const bytes = frames.length < segment.frames.length ? encodeSegment(piece.segment) : payload;
      this.#addRows(index, this.#groupOf(RECORDED, streamId, captureMs(frames[0]!)), bytes);
    }
  }

  #addRows(index: number, group: Group, payload: Uint8Array): void {
    if (this.#hasLines) {
      for (const line of tableLines(group.series.table!, payload)) group.lines.text(`${line}\n`);
    }
    group.members.push(index);
    if (this.#hasMessages) group.messages.delimited(payload);
  }

  #groupOf(series: Series, streamId: string, atMs: number): Group {
    const { day, hour } = dayAndHour(atMs);
    const key = `${series.lines}/${day}/${hour}/${streamId}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      const folder = join(fileName(streamId), day);
      const lines = this.#spare.lines.take();
      const messages = this.#spare.messages.take();
      group = { series, streamId, folder, day, hour, members: [], lines, messages };
      this.#groups.set(key, group);
    }
    return group;
  }
}

function hourOf(atMs: number): string {
  const { day, hour } = dayAndHour(atMs);
  return `${day}/${hour}`;
}

/** What is acknowledged must be readable when its Parquet file is made, hours later. */
function readable<T>({ kind, recordId, payload }: PendingRecord, decode: (b: Uint8Array) => T): T {
  try {
    return decode(payload);
  } catch (cause) {
    const message = `Cannot read ${kind} ${recordId}: its bytes are damaged`;
    throw new SightlineError('SL_SINK_REJECTED', message, { cause });
  }
}

/** Apart, since they grow to sizes of their own. */
export interface Spares {
  readonly lines: SpareWriters;
  readonly messages: SpareWriters;
}

/** Buffers that were used and grew: making them anew for every piece would keep the garbage collector busy. */
export class SpareWriters {
  readonly #writers: ByteWriter[] = [];
  #bytes = 0;

  take(): ByteWriter {
    const writer = this.#writers.pop();
    if (writer === undefined) return new ByteWriter();
    this.#bytes -= writer.capacity;
    writer.truncate(0);
    return writer;
  }

  /** Keeps it for later, as far as there is room. */
  put(writer: ByteWriter): void {
    if (this.#bytes + writer.capacity > SPARE_BYTES) return;
    this.#writers.push(writer);
    this.#bytes += writer.capacity;
  }
}
