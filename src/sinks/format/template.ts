import type { RecordKind } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';
import { UNUSUAL } from './field-reader.ts';
import { type FrameFacts, NO_FACTS, readFrameFacts } from './frame-facts.ts';

const PLACEHOLDER = /\{([^{}]*)\}/g;
/** Filled texts that are kept: streams times kinds of a large box. */
const MAX_KEPT = 4096;

/**
 * What a template is filled from: a record, or a message, which stands for its first record. Without a record there is
 * only what all records of a stream and kind share.
 */
export interface TemplateValues {
  readonly streamId: string;
  readonly kind: RecordKind;
  readonly recordId?: string;
  /** Capture time, ms since the Unix epoch. */
  readonly atMs?: number;
  /** As the outbox holds it. */
  readonly payload?: Uint8Array;
}

/** Placeholders that only the stream and the kind decide: what they give is kept. */
const LASTING = {
  streamId: ({ streamId }: TemplateValues) => streamId,
  kind: ({ kind }: TemplateValues) => kind,
};

const PLACEHOLDERS: Readonly<Record<string, (values: TemplateValues) => string>> = {
  ...LASTING,
  recordId: ({ recordId }) => recordId ?? missing(),
  // Of the capture time, UTC.
  yyyy: ({ atMs }) => iso(atMs).slice(0, 4),
  MM: ({ atMs }) => iso(atMs).slice(5, 7),
  dd: ({ atMs }) => iso(atMs).slice(8, 10),
  HH: ({ atMs }) => iso(atMs).slice(11, 13),
  // Of a frame: the label of its surest object and the model's name.
  class: (values) => factsOf(values).topClass || NONE,
  model: (values) => factsOf(values).model || NONE,
};
/** Stands for a class or a model where there is none. */
const NONE = 'none';

export interface TemplateRules {
  /** For messages: `the topic`. */
  readonly what: string;
  /** Makes a value fit for its place. Default: as it is. */
  readonly escape?: (value: string) => string;
  /** Longest text, bytes of UTF-8. */
  readonly maxBytes: number;
}

/**
 * A text with placeholders in it, checked once and filled per record: `{streamId}`, `{kind}`, `{recordId}`, `{class}`,
 * `{model}` and the hour of the capture time in `{yyyy}`, `{MM}`, `{dd}`, `{HH}`.
 */
export class Template {
  readonly #text: string;
  readonly #rules: TemplateRules;
  readonly #isLasting: boolean;
  readonly #kept = new Map<string, string>();

  /** @throws SightlineError `SL_CONFIG_INVALID` for unknown placeholders */
  constructor(text: string, rules: TemplateRules) {
    this.#text = text;
    this.#rules = rules;
    const names = [...text.matchAll(PLACEHOLDER)].map(([, name]) => name!);
    this.#isLasting = names.every((name) => Object.hasOwn(LASTING, name));
    const unknown = names.find((name) => !Object.hasOwn(PLACEHOLDERS, name));
    if (unknown === undefined && !/[{}]/.test(text.replace(PLACEHOLDER, ''))) return;
    const known = Object.keys(PLACEHOLDERS);
    const problem =
      unknown === undefined
        ? 'a brace of it has no counterpart'
        : `{${unknown}} is not known, ${known.map((name) => `{${name}}`).join(' ')} are`;
    throw new SightlineError('SL_CONFIG_INVALID', `Cannot use ${rules.what} ${text}: ${problem}`);
  }

  /** @throws SightlineError `SL_SINK_REJECTED` for a text that is too long, or a frame that cannot be read */
  fill(values: TemplateValues): string {
    if (!this.#isLasting) return this.#fill(values);
    const id = `${values.kind}/${values.streamId}`;
    const kept = this.#kept.get(id);
    if (kept !== undefined) return kept;
    const filled = this.#fill(values);
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(id, filled);
    return filled;
  }

  #fill(values: TemplateValues): string {
    const { what, maxBytes, escape: escaped = asIs } = this.#rules;
    const filled = this.#text.replace(PLACEHOLDER, (_all, name: string) =>
      escaped(PLACEHOLDERS[name]!(values)),
    );
    if (Buffer.byteLength(filled) <= maxBytes) return filled;
    const message = `Cannot fill ${what} ${this.#text}: it would be longer than ${maxBytes} bytes`;
    throw new SightlineError('SL_SINK_REJECTED', message);
  }
}

function asIs(value: string): string {
  return value;
}

function iso(atMs: number | undefined): string {
  return new Date(atMs ?? missing()).toISOString();
}

function missing(): never {
  const message = 'Only {streamId} and {kind} have values in a name that is not of one record';
  throw new SightlineError('SL_CONFIG_INVALID', message);
}

function factsOf({ kind, payload, recordId }: TemplateValues): FrameFacts {
  if (kind !== 'frame') return NO_FACTS;
  try {
    return readFrameFacts(payload ?? missing());
  } catch (cause) {
    if (cause !== UNUSUAL) throw cause;
    const message = `Cannot read the class and the model of frame ${recordId}: its bytes are damaged`;
    throw new SightlineError('SL_SINK_REJECTED', message, { cause });
  }
}

/** The template of an MQTT topic. */
export class TopicTemplate extends Template {
  /** @throws SightlineError `SL_CONFIG_INVALID` for wildcards or unknown placeholders */
  constructor(template: string) {
    super(template, { what: 'the topic', escape: escapeLevel, maxBytes: 65_535 });
    if (/[+#\0]/.test(template)) {
      throw new SightlineError(
        'SL_CONFIG_INVALID',
        `Cannot use the topic ${template}: + # and NUL may not stand in a topic that is published to`,
      );
    }
  }
}

/** One level of a topic: what means something to MQTT, and `%` itself, is percent-encoded. */
function escapeLevel(text: string): string {
  return text.replace(/[+#/%\0]/g, (char) => {
    return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}
