import type { RecordKind } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';

const PLACEHOLDER = /\{([^{}]*)\}/g;
/** Filled texts that are kept: streams times kinds of a large box. */
const MAX_KEPT = 4096;

/** What a template may fill in. */
export interface TemplateValues {
  readonly streamId: string;
  readonly kind: RecordKind;
}

export interface TemplateRules {
  /** For messages: `the topic`. */
  readonly what: string;
  /** Makes a value fit for its place. Default: as it is. */
  readonly escape?: (value: string) => string;
  /** Longest text, bytes of UTF-8. */
  readonly maxBytes: number;
}

/** A text with `{streamId}` and `{kind}` in it, checked once and filled per record. */
export class Template {
  readonly #text: string;
  readonly #rules: TemplateRules;
  readonly #kept = new Map<string, string>();

  /** @throws SightlineError `SL_CONFIG_INVALID` for unknown placeholders */
  constructor(text: string, rules: TemplateRules) {
    this.#text = text;
    this.#rules = rules;
    for (const [, name] of text.matchAll(PLACEHOLDER)) {
      if (name === 'streamId' || name === 'kind') continue;
      throw new SightlineError(
        'SL_CONFIG_INVALID',
        `Cannot use ${rules.what} ${text}: {${name}} is not known, {streamId} and {kind} are`,
      );
    }
  }

  /** @throws SightlineError `SL_SINK_REJECTED` for a text that is too long */
  fill({ streamId, kind }: TemplateValues): string {
    const id = `${kind}/${streamId}`;
    const kept = this.#kept.get(id);
    if (kept !== undefined) return kept;
    const { what, maxBytes, ...rules } = this.#rules;
    const values = { streamId, kind };
    const filled = this.#text.replace(PLACEHOLDER, (_all, name: keyof TemplateValues) =>
      rules.escape === undefined ? values[name] : rules.escape(values[name]),
    );
    if (Buffer.byteLength(filled) > maxBytes) {
      const message = `Cannot fill ${what} ${this.#text}: it would be longer than ${maxBytes} bytes`;
      throw new SightlineError('SL_SINK_REJECTED', message);
    }
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(id, filled);
    return filled;
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
