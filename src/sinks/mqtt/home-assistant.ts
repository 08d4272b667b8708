import { createHash } from 'node:crypto';
import type { PendingRecord } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';
import { decodeFrame } from '../../metadata/frame.ts';
import { TopicTemplate } from '../format/template.ts';
import type { MqttConnection } from './connection.ts';
import { entitiesOf } from './home-entities.ts';
import type { MqttSinkSpec } from './spec.ts';

type HomeSpec = NonNullable<MqttSinkSpec['homeAssistant']>;

/** A stream of that many classes is a mistake, and each would be an entity. */
const MAX_CLASSES = 64;
const MAX_STREAMS = 10_000;
/** States of a stream (its events are `stream.<state>`) in which pictures come and are looked at. */
const IS_WELL = new Set(['live']);
/** States in which somebody wants it so. */
const IS_OFF = new Set(['disabled', 'draining', 'stopped']);
const STATE_EVENT =
  /^stream\.(disabled|pending|preparing|connecting|live|degraded|stalled|backoff|draining|stopped|rejected|quarantined)$/;

interface StreamView {
  readonly topic: string;
  /** Label by its name in topics and templates. */
  readonly classes: Map<string, string>;
  /** Number of classes that were announced; -1: nothing was yet. */
  announced: number;
  /** Greatest numbers seen at once, of what was seen since the state was published or, when nothing was, before. */
  counts: Map<string, number>;
  /** Something was seen since. */
  isDirty: boolean;
  isOnline: boolean;
  hasProblem: boolean;
  /** The last state the broker took. */
  published: string;
  publishedMs: number;
  isBusy: boolean;
}

/**
 * What Home Assistant shows of the streams whose records pass: retained discovery messages, and a retained state that is
 * published when it changes. It shows the present; what could not be published is not made up for but shown anew.
 */
export class HomeAssistant {
  readonly #spec: MqttSinkSpec;
  readonly #home: HomeSpec;
  readonly #stateTopic: TopicTemplate;
  readonly #streams = new Map<string, StreamView>();
  #connection: MqttConnection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @throws SightlineError `SL_CONFIG_INVALID` without `status`, or for a topic that cannot be published to */
  constructor(spec: MqttSinkSpec, home: HomeSpec) {
    this.#spec = spec;
    this.#home = home;
    this.#stateTopic = new TopicTemplate(home.stateTopic);
    if (!home.stateTopic.includes('{streamId}')) {
      throw this.#invalid('its `stateTopic` needs {streamId}: each stream has a state of its own');
    }
    if (spec.status === undefined) {
      throw this.#invalid('it needs `status`: its topic tells whether the entities are available');
    }
  }

  /** Everything is announced anew: the broker may have lost what it retained. */
  begin(connection: MqttConnection): void {
    this.#connection = connection;
    for (const view of this.#streams.values()) {
      view.announced = -1;
      view.published = '';
      view.publishedMs = Number.NEGATIVE_INFINITY;
      view.isDirty = true;
    }
    this.#flush();
  }

  /** Takes in what the records say of their streams: of each stream the newest frame, and every event. */
  observe(batch: readonly PendingRecord[]): void {
    const newest = new Map<string, PendingRecord>();
    for (const record of batch) {
      if (record.kind === 'frame') newest.set(record.streamId, record);
      else if (record.kind === 'event') this.#observeEvent(record);
    }
    for (const record of newest.values()) this.#observeFrame(record);
    this.#flush();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#connection = undefined;
  }

  #observeFrame({ streamId, payload }: PendingRecord): void {
    const view = this.#view(streamId);
    if (view === undefined) return;
    let counts: Map<string, number>;
    try {
      counts = countsOf(payload);
    } catch {
      // A frame that cannot be read has its own fate: the dead letters.
      return;
    }
    if (!view.isDirty) view.counts = new Map();
    for (const [label, count] of counts) {
      const name = entityName(label);
      if (!view.classes.has(name) && view.classes.size >= MAX_CLASSES) continue;
      view.classes.set(name, label);
      view.counts.set(name, Math.max(count, view.counts.get(name) ?? 0));
    }
    view.isOnline = true;
    view.isDirty = true;
  }

  #observeEvent({ streamId, payload }: PendingRecord): void {
    let type: unknown;
    try {
      ({ type } = JSON.parse(Buffer.from(payload).toString('utf8')) as { type?: unknown });
    } catch {
      return;
    }
    const state = STATE_EVENT.exec(String(type))?.[1];
    if (state === undefined) return;
    const view = this.#view(streamId);
    if (view === undefined) return;
    view.isOnline = IS_WELL.has(state) || state === 'degraded';
    view.hasProblem = !IS_WELL.has(state) && !IS_OFF.has(state);
    view.isDirty = true;
  }

  #view(streamId: string): StreamView | undefined {
    const known = this.#streams.get(streamId);
    if (known !== undefined || this.#streams.size >= MAX_STREAMS) return known;
    const view: StreamView = {
      topic: this.#stateTopic.fill({ streamId, kind: 'frame' }),
      classes: new Map(),
      counts: new Map(),
      ...{ announced: -1, isDirty: false, isOnline: false, hasProblem: false },
      ...{ published: '', publishedMs: Number.NEGATIVE_INFINITY, isBusy: false },
    };
    this.#streams.set(streamId, view);
    return view;
  }

  /** Publishes what changed and is due, and comes back for the rest. */
  #flush(): void {
    const connection = this.#connection;
    if (this.#isClosed || connection === undefined || connection.isLost) return;
    const now = performance.now();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [streamId, view] of this.#streams) {
      if (view.isBusy || !view.isDirty) continue;
      const dueMs = view.publishedMs + this.#home.intervalMs;
      if (dueMs > now) nextMs = Math.min(nextMs, dueMs);
      else void this.#show(connection, streamId, view);
    }
    clearTimeout(this.#timer);
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#flush(), nextMs - now);
    this.#timer.unref();
  }

  async #show(connection: MqttConnection, streamId: string, view: StreamView): Promise<void> {
    const state = stateOf(view);
    const { size } = view.classes;
    view.isDirty = false;
    if (view.announced === size && state === view.published) return;
    view.isBusy = true;
    try {
      if (view.announced !== size) {
        for (const { topic, config } of entitiesOf(streamId, view, this.#spec)) {
          await publish(connection, topic, config);
        }
        view.announced = size;
      }
      await publish(connection, view.topic, state);
      view.published = state;
    } catch {
      // The connection is gone, or the broker forbids it: shown anew with the next connection, or tried with the next change.
      view.announced = -1;
      view.published = '';
    } finally {
      view.isBusy = false;
      view.publishedMs = performance.now();
    }
    if (view.isDirty) this.#flush();
  }

  #invalid(why: string): SightlineError {
    const message = `Cannot use homeAssistant of sink ${this.#spec.id}: ${why}`;
    return new SightlineError('SL_CONFIG_INVALID', message);
  }
}

async function publish(connection: MqttConnection, topic: string, json: string): Promise<void> {
  const { maxQos, canRetain } = connection.facts;
  const qos = maxQos === 0 ? 0 : 1;
  await connection.publish(topic, Buffer.from(json), { qos, retain: canRetain });
}

function countsOf(frame: Uint8Array): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { type } of decodeFrame(frame).objects ?? []) {
    if (type) counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
}

/** Letters, digits, `_` and `-` alone: fit for topics and for templates. A label of more than those gets a hash. */
function entityName(label: string): string {
  const name = label.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 48);
  if (name === label) return name;
  return `${name}-${createHash('sha256').update(label).digest('hex').slice(0, 8)}`;
}

function stateOf({ classes, counts, isOnline, hasProblem }: StreamView): string {
  const byClass = Object.fromEntries(
    [...classes.keys()].map((name) => [name, counts.get(name) ?? 0]),
  );
  const objects = Object.values(byClass).reduce((sum, count) => sum + count, 0);
  return JSON.stringify({
    camera: isOnline ? 'online' : 'offline',
    problem: hasProblem ? 'ON' : 'OFF',
    occupancy: objects > 0 ? 'ON' : 'OFF',
    objects,
    classes: byClass,
  });
}
