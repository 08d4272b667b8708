import { SightlineError } from '../../common/errors.ts';
import { didYouMean } from '../../common/near.ts';
import { FIELDS } from '../../gen/fields.js';
import { decodeFrame, frameToJson } from '../../metadata/frame.ts';
import { FieldReader, UNUSUAL } from './field-reader.ts';
import { writeVarint } from './length-delimited.ts';

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

/** Copies what is kept into one buffer; the result is never longer than what it came from. */
function pruneWire(wire: Uint8Array, root: Node): Uint8Array {
  const target = new Uint8Array(wire.byteLength);
  const reader = new FieldReader(wire);
  return target.subarray(0, prune(reader, wire.byteLength, root, target, 0));
}

/** Goes on in `target` at `from`; returns where it ends. */
function prune(
  reader: FieldReader,
  end: number,
  node: Node,
  target: Uint8Array,
  from: number,
): number {
  let at = from;
  while (reader.at < end) {
    const start = reader.at;
    const part = node.byNumber.get(reader.next());
    if (part?.inner === undefined) {
      reader.skip();
      if (part !== undefined) at = copy(reader.wire, start, reader.at, target, at);
      continue;
    }
    const tagEnd = reader.at;
    const innerEnd = reader.enter();
    at = copy(reader.wire, start, tagEnd, target, at);
    // As wide as it was; a length that needs fewer bytes now pulls what follows nearer.
    const inner = at + reader.at - tagEnd;
    const stop = prune(reader, innerEnd, part.inner, target, inner);
    const after = writeVarint(target, at, stop - inner);
    at = after === inner ? stop : after + stop - inner;
    if (after !== inner) target.copyWithin(after, inner, stop);
  }
  if (reader.at !== end) throw UNUSUAL;
  return at;
}

function copy(
  wire: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  // Most fields have a few bytes: faster than a view of each.
  if (end - start > 64) target.set(wire.subarray(start, end), at);
  else for (let index = start; index < end; index++) target[at + index - start] = wire[index]!;
  return at + end - start;
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
