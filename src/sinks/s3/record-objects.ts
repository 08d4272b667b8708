import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PendingRecord } from '../../common/delivery.ts';
import { type SightlineError, toSightlineError } from '../../common/errors.ts';
import { hashInTurns, type S3Object } from '../aws/object-store.ts';
import { ByteWriter } from '../format/byte-writer.ts';
import { SCHEMA_VERSION, writeJsonLine } from '../format/encode.ts';
import { encodeDelimited } from '../format/length-delimited.ts';
import { Template } from '../format/template.ts';
import { headerText } from '../header-text.ts';

/** Of S3: 1024 bytes with the prefix and the name. */
const MAX_FOLDER_BYTES = 400;
/** Lines that are written in one turn of the event loop. */
const LINES_A_TURN = 100;

export interface RecordObject {
  /** Positions of its records in the batch. */
  readonly indexes: readonly number[];
  readonly object: S3Object;
}

export interface RecordObjects {
  readonly objects: readonly RecordObject[];
  readonly rejected: readonly { readonly index: number; readonly error: SightlineError }[];
}

interface Group {
  readonly folder: string;
  readonly first: PendingRecord;
  readonly indexes: number[];
}

/** Gathers records by folder into objects. The same records give the same object under the same key. */
export class RecordObjectMaker {
  readonly #format: 'ndjson' | 'protobuf';
  readonly #folder: Template;

  /** @throws SightlineError `SL_CONFIG_INVALID` for a folder with unknown placeholders */
  constructor({
    format,
    folder,
  }: { readonly format: 'ndjson' | 'protobuf'; readonly folder: string }) {
    this.#format = format;
    this.#folder = new Template(folder, {
      what: 'the folder',
      escape: escapeSegment,
      maxBytes: MAX_FOLDER_BYTES,
    });
  }

  async make(batch: readonly PendingRecord[]): Promise<RecordObjects> {
    const rejected: { index: number; error: SightlineError }[] = [];
    const objects: RecordObject[] = [];
    for (const { folder, first, indexes } of this.#group(batch, rejected)) {
      const isProtobuf = this.#format === 'protobuf' && first.kind === 'frame';
      const taken: number[] = [];
      const data = isProtobuf
        ? encodeDelimited(indexes.map((index) => batch[index]!.payload))
        : await lines(batch, indexes, taken, rejected);
      if (isProtobuf) taken.push(...indexes);
      if (taken.length === 0) continue;
      const hash = await hashInTurns(data);
      const time = new Date(first.atMs).toISOString().replace(/[-:.]/g, '');
      const name = `${time}-${hash.toString('hex').slice(0, 24)}.${isProtobuf ? 'pb' : 'ndjson'}`;
      const metadata = {
        'stream-id': headerText(first.streamId),
        'schema-version': SCHEMA_VERSION,
        kind: first.kind,
        records: String(taken.length),
        'first-record-id': headerText(batch[taken[0]!]!.recordId),
        'last-record-id': headerText(batch[taken.at(-1)!]!.recordId),
      };
      const contentType = isProtobuf
        ? 'application/x-protobuf; messageType="sightline.v1.Frame"; delimited=true'
        : 'application/x-ndjson';
      const object = { key: `${folder}/${name}`, data, hash, contentType, metadata };
      objects.push({ indexes: taken, object });
    }
    return { objects, rejected };
  }

  #group(
    batch: readonly PendingRecord[],
    rejected: { index: number; error: SightlineError }[],
  ): Iterable<Group> {
    const groups = new Map<string, Group>();
    for (const [index, record] of batch.entries()) {
      try {
        const folder = this.#folder.fill(record);
        const id = `${record.kind}/${record.streamId}/${folder}`;
        const group = groups.get(id);
        if (group === undefined) groups.set(id, { folder, first: record, indexes: [index] });
        else group.indexes.push(index);
      } catch (thrown) {
        rejected.push({ index, error: toSightlineError(thrown) });
      }
    }
    return groups.values();
  }
}

async function lines(
  batch: readonly PendingRecord[],
  indexes: readonly number[],
  taken: number[],
  rejected: { index: number; error: SightlineError }[],
): Promise<Buffer> {
  const writer = new ByteWriter();
  for (const [at, index] of indexes.entries()) {
    if (at > 0 && at % LINES_A_TURN === 0) await nextTurn();
    try {
      writeJsonLine(writer, batch[index]!);
      writer.text('\n');
      taken.push(index);
    } catch (thrown) {
      rejected.push({ index, error: toSightlineError(thrown) });
    }
  }
  return Buffer.from(writer.bytes());
}

/** One segment of a key: what keys had better not hold, and `%` itself, is percent-encoded. */
function escapeSegment(text: string): string {
  const safe = Buffer.from(text)
    .toString('latin1')
    .replace(/[^A-Za-z0-9_.-]/g, (char) => {
      return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
    });
  return safe.replace(/^\.+$/, (dots) => '%2E'.repeat(dots.length));
}
