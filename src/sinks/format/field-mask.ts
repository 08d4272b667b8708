import { SightlineError } from '../../common/errors.ts';
import { didYouMean } from '../../common/near.ts';
import { FIELDS } from '../../gen/fields.js';
import { decodeFrame, frameToJson } from '../../metadata/frame.ts';
import { FieldReader, UNUSUAL } from './field-reader.ts';
import { varintBytes, writeVarint } from './length-delimited.ts';

/** Without these a consumer could neither tell frames apart nor remove duplicates. */
const ALWAYS = ['recordId', 'streamId', 'timestamp'];

type FieldTable = (typeof FIELDS)[string];

/** Fields to keep: all of one, or parts of the message in it. */
interface Node {
  readonly byName: Map<string, Part>;
  readonly byNumber: Map<number, Part>;
}

interface Part {
  /** undefined: the whole field. */
  inner: Node | undefined;
}

/** Which fields of a frame are sent. Made once to each sink. */
export class FieldMask {
  readonly #root = emptyNode();

  /**
   * @param names JSON names with dots between: `objects.bbox`
   * @throws SightlineError `SL_CONFIG_INVALID` for a name the frame has not
   */
  constructor(names: readonly string[]) {
    for (const name of [...ALWAYS, ...names]) this.#add(name);
  }

  /** The frame without the other fields. @throws SightlineError `SL_INTERNAL` for bytes that are no frame */
  apply(frame: Uint8Array): Uint8Array {
    try {
      return pruneWire(frame, this.#root);
    } catch (error) {
      if (error !== UNUSUAL) throw error;
      // Numbers that the fast way does not read; says what is wrong where the bytes are damaged.
      decodeFrame(frame);
      throw new SightlineError('SL_INTERNAL', 'Cannot read the fields of a frame');
    }
  }

  /** The JSON mapping without the other fields. @throws SightlineError `SL_INTERNAL` as `apply` */
  toJson(frame: Uint8Array): unknown {
    return pruneJson(frameToJson(this.apply(frame)), this.#root);
  }

  #add(name: string): void {
    let message: string | undefined = 'Frame';
    let node: Node = this.#root;
    const steps = name.split('.');
    for (const [at, step] of steps.entries()) {
      const fields: FieldTable = message === undefined ? {} : (FIELDS[message] ?? {});
      const field = Object.hasOwn(fields, step) ? fields[step] : undefined;
      if (field === undefined) throw unknownField(name, step, message, Object.keys(fields));
      const isLast = at === steps.length - 1;
      let part = node.byName.get(step);
      if (part === undefined) {
        part = { inner: isLast ? undefined : emptyNode() };
        node.byName.set(step, part);
        node.byNumber.set(field[0], part);
      } else if (isLast) part.inner = undefined;
      // The whole of it goes already.
      if (part.inner === undefined) return;
      node = part.inner;
      message = field[1];
    }
  }
}

function emptyNode(): Node {
  return { byName: new Map(), byNumber: new Map() };
}

function unknownField(
  name: string,
  step: string,
  message: string | undefined,
  known: readonly string[],
): SightlineError {
  const where = message === undefined ? 'what stands before it has no fields' : `not in ${message}`;
  return new SightlineError(
    'SL_CONFIG_INVALID',
    `Cannot send the field ${name}: ${step} is ${message === undefined ? 'not known, ' : ''}${where}${didYouMean(step, known)}`,
  );
}

/** Copies what is kept; the lengths of messages that lost fields are written anew. */
function pruneWire(wire: Uint8Array, node: Node): Uint8Array {
  const pieces: Uint8Array[] = [];
  let total = 0;
  const keep = (piece: Uint8Array): void => {
    pieces.push(piece);
    total += piece.byteLength;
  };
  const reader = new FieldReader(wire);
  while (reader.at < wire.byteLength) {
    const start = reader.at;
    reader.next();
    const part = node.byNumber.get(reader.field);
    if (part?.inner === undefined) {
      reader.skip();
      if (part !== undefined) keep(wire.subarray(start, reader.at));
      continue;
    }
    const tagEnd = reader.at;
    const end = reader.enter();
    const inner = pruneWire(wire.subarray(reader.at, end), part.inner);
    reader.at = end;
    const head = new Uint8Array(tagEnd - start + varintBytes(inner.byteLength));
    head.set(wire.subarray(start, tagEnd));
    writeVarint(head, tagEnd - start, inner.byteLength);
    keep(head);
    keep(inner);
  }
  const result = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.byteLength;
  }
  return result;
}

/** The mapping shows some fields also when they are not set: those go here. */
function pruneJson(value: unknown, node: Node): unknown {
  if (Array.isArray(value)) return value.map((item) => pruneJson(item, node));
  if (typeof value !== 'object' || value === null) return value;
  const kept: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const part = node.byName.get(key);
    if (part === undefined) continue;
    kept[key] = part.inner === undefined ? item : pruneJson(item, part.inner);
  }
  return kept;
}
