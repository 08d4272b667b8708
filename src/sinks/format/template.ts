import type { RecordKind } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';

const PLACEHOLDER = /\{([^{}]*)\}/g;
const MAX_TOPIC_BYTES = 65_535;

/** A template such as `sightline/{streamId}/{kind}s`, checked once and filled per record. */
export class TopicTemplate {
  readonly #template: string;

  /** @throws SightlineError `SL_CONFIG_INVALID` for wildcards or unknown placeholders */
  constructor(template: string) {
    this.#template = template;
    for (const [, name] of template.matchAll(PLACEHOLDER)) {
      if (name === 'streamId' || name === 'kind') continue;
      throw new SightlineError(
        'SL_CONFIG_INVALID',
        `Cannot use the topic ${template}: {${name}} is not known, {streamId} and {kind} are`,
      );
    }
    if (/[+#\0]/.test(template)) {
      throw new SightlineError(
        'SL_CONFIG_INVALID',
        `Cannot use the topic ${template}: + # and NUL may not stand in a topic that is published to`,
      );
    }
  }

  /** @throws SightlineError `SL_SINK_REJECTED` for a topic longer than MQTT allows */
  fill(values: { readonly streamId: string; readonly kind: RecordKind }): string {
    const topic = this.#template.replace(PLACEHOLDER, (_all, name: 'streamId' | 'kind') =>
      escapeLevel(values[name]),
    );
    if (Buffer.byteLength(topic) <= MAX_TOPIC_BYTES) return topic;
    throw new SightlineError(
      'SL_SINK_REJECTED',
      'The topic of a record is longer than MQTT allows',
    );
  }
}

/** One level of a topic: what means something to MQTT, and `%` itself, is percent-encoded. */
function escapeLevel(text: string): string {
  return text.replace(/[+#/%\0]/g, (char) => {
    return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}
