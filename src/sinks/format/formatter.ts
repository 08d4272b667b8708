import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Static } from 'typebox';
import type { PendingRecord, RecordKind } from '../../common/delivery.ts';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import { strictObject } from '../../common/schema.ts';
import { MESSAGE } from '../spec-parts.ts';
import { Bundler, type Piece } from './bundler.ts';
import {
  CLOUD_EVENT_TYPE,
  cloudEventAttributes,
  ENVELOPE_BYTES,
  structured,
} from './cloud-events.ts';
import { encode, formatOf, JSON_TYPE, SCHEMA_VERSION } from './encode.ts';
import { FieldMask } from './field-mask.ts';

/** What a transport carries as one unit: one record, or several frames of one stream. */
export interface Message {
  /** Positions of its records in the batch, ascending: what becomes of the message becomes of each of them. */
  readonly indexes: readonly number[];
  /**
   * The same for the same records, and for no others: fit for the duplicate detection of a transport. The record's own id;
   * of several frames that of the first, their number and a digest of all ids.
   */
  readonly recordId: string;
  readonly streamId: string;
  readonly kind: RecordKind;
  /** Capture time of its first record, ms since the Unix epoch. */
  readonly atMs: number;
  /** Its first record as the outbox holds it, for templates. */
  readonly payload: Uint8Array;
  readonly body: Uint8Array;
  readonly contentType: string;
  /** The body is UTF-8, fit for transports that take text alone. */
  readonly isText: boolean;
  /**
   * For the headers, properties or attributes of the transport: `contentType` not among them, but `kind`, `recordId`,
   * `streamId`, `schemaVersion`, `format` (protobuf, json or deepstream) and, where the body is a batch, `frames`: how many.
   */
  readonly attributes: Readonly<Record<string, string>>;
  /** CloudEvents in binary mode: the context attributes by their plain names; see `cloudEventHeaders`. */
  readonly cloudEvent?: Readonly<Record<string, string>>;
}

export interface Formatted {
  /** By the positions of their first records. */
  readonly messages: readonly Message[];
  /** Records that cannot be put into this format, with `SL_SINK_REJECTED`. */
  readonly rejected: readonly { readonly index: number; readonly error: SightlineError }[];
}

const Spec = strictObject(MESSAGE);
/** How a sink's specification wants its messages. */
export type MessageSpec = Static<typeof Spec>;

export interface FormatterOptions {
  /** The transport carries `attributes` and `cloudEvent` beside the body: an envelope needs no body of its own. */
  readonly headers: boolean;
  /** Most bytes of a body with several frames that the transport takes. Default: as the specification says. */
  readonly maxBytes?: number;
}

const MESSAGE_BYTES = 256 * 1024;
/** Of uninterrupted work, and after how many records it is looked at. */
const TURN_MS = 4;
const LOOK_EVERY = 16;

interface Encoding {
  /** Without several frames in a message. */
  readonly messages: Message[];
  /** To be put together. */
  readonly pieces: Piece[];
  readonly rejected: { readonly index: number; readonly error: SightlineError }[];
}

/** Makes the messages of a sink out of its records. One to each sink. */
export class Formatter {
  readonly #spec: MessageSpec;
  readonly #mask: FieldMask | undefined;
  readonly #bundler: Bundler | undefined;
  /** Envelope in the body. */
  readonly #isStructured: boolean;

  /** @throws SightlineError `SL_CONFIG_INVALID` for `fields` that frames have not, or that the format cannot leave out */
  constructor(
    spec: MessageSpec,
    { headers, maxBytes = Number.POSITIVE_INFINITY }: FormatterOptions,
  ) {
    const {
      format,
      fields,
      envelope,
      framesPerMessage = 1,
      maxMessageBytes = MESSAGE_BYTES,
    } = spec;
    if (fields !== undefined && format === 'deepstream') {
      throw new SightlineError(
        'SL_CONFIG_INVALID',
        "Cannot choose fields of the format deepstream: NVIDIA's schema has them all",
      );
    }
    this.#spec = spec;
    this.#mask = fields && new FieldMask(fields);
    this.#isStructured = envelope !== undefined && !headers;
    if (framesPerMessage > 1) {
      const room = Math.min(maxMessageBytes, maxBytes);
      const dataRoom = this.#isStructured ? dataBytes(room, format !== 'protobuf') : room;
      this.#bundler = new Bundler({ format, maxFrames: framesPerMessage, maxBytes: dataRoom });
    }
  }

  format(batch: readonly PendingRecord[]): Formatted {
    const encoded: Encoding = { messages: [], pieces: [], rejected: [] };
    for (let index = 0; index < batch.length; index++) this.#encode(batch, index, encoded);
    return this.#messages(encoded);
  }

  /** As `format`, but never holds up the process for more than a few milliseconds: for sinks whose batches are large. */
  async formatInTurns(batch: readonly PendingRecord[]): Promise<Formatted> {
    const encoded: Encoding = { messages: [], pieces: [], rejected: [] };
    let turnStarted = performance.now();
    for (let index = 0; index < batch.length; index++) {
      this.#encode(batch, index, encoded);
      if (index % LOOK_EVERY !== 0 || performance.now() - turnStarted < TURN_MS) continue;
      await nextTurn();
      turnStarted = performance.now();
    }
    return this.#messages(encoded);
  }

  #encode(batch: readonly PendingRecord[], index: number, encoding: Encoding): void {
    const record = batch[index]!;
    try {
      const { contentType, bytes } = encode(record, this.#spec.format, this.#mask);
      const piece = { index, record, contentType, bytes };
      if (this.#bundler === undefined) encoding.messages.push(this.#single(piece));
      else encoding.pieces.push(piece);
    } catch (error) {
      encoding.rejected.push({ index, error: toSightlineError(error) });
    }
  }

  #messages({ messages: single, pieces, rejected }: Encoding): Formatted {
    if (this.#bundler === undefined) return { messages: single, rejected };
    const messages = this.#bundler.bundle(pieces).map((bundle) => {
      if (!('frames' in bundle)) return this.#single(bundle);
      const { frames, recordId } = bundle;
      return this.#message(frames, recordId, bundle, { frames: String(frames.length) });
    });
    return { messages, rejected };
  }

  #single(piece: Piece): Message {
    return this.#message([piece], piece.record.recordId, piece, {});
  }

  #message(
    pieces: readonly Piece[],
    recordId: string,
    { contentType, bytes }: { readonly contentType: string; readonly bytes: Uint8Array },
    more: Readonly<Record<string, string>>,
  ): Message {
    const { record } = pieces[0]!;
    const { streamId, kind, atMs, payload } = record;
    const indexes = pieces.map(({ index }) => index);
    const format = formatOf(record, this.#spec.format);
    const attributes = { kind, recordId, streamId, schemaVersion: SCHEMA_VERSION, format, ...more };
    const facts = { indexes, recordId, streamId, kind, atMs, payload, attributes };
    const isText = contentType === JSON_TYPE;
    if (this.#spec.envelope === undefined) return { ...facts, body: bytes, contentType, isText };
    const cloudEvent = cloudEventAttributes(facts);
    if (!this.#isStructured) return { ...facts, body: bytes, contentType, isText, cloudEvent };
    const body = structured(cloudEvent, contentType, bytes);
    return { ...facts, body, contentType: CLOUD_EVENT_TYPE, isText: true };
  }
}

/** What fits into an envelope of so many bytes. */
function dataBytes(room: number, isJson: boolean): number {
  const left = Math.max(0, room - ENVELOPE_BYTES);
  return isJson ? left : Math.floor(left / 4) * 3;
}
