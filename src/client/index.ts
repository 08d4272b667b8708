import type {
  Capacity,
  Fleet,
  Model,
  QueryAnswer,
  Rule,
  RuleEvent,
  Worker,
} from '../api/schemas.ts';
import type { FrameJson } from '../metadata/frame-json.ts';
import { Cameras } from './cameras.ts';
import { DeadLetters } from './dead-letters.ts';
import { type EventOptions, type SightlineEvent, watchEvents } from './events.ts';
import { Jobs } from './jobs.ts';
import { type MetadataOptions, watchMetadata } from './metadata.ts';
import { Pipelines } from './pipelines.ts';
import { Recordings } from './recordings.ts';
import { Resource } from './resource.ts';
import { Sinks } from './sinks.ts';
import { Streams } from './streams.ts';
import { type ClientOptions, Transport } from './transport.ts';
import type { CallOptions } from './types.ts';

export type {
  Camera,
  CameraSpec,
  Capacity,
  Condition,
  DeadLetter,
  Fleet,
  GapReport,
  Incident,
  Job,
  Model,
  Outbox,
  Pipeline,
  QueryAnswer,
  Reason,
  RecordedSegment,
  Rule,
  RuleEvent,
  Sink,
  SinkSpec,
  Stream,
  Worker,
} from '../api/schemas.ts';
export type { FrameJson } from '../metadata/frame-json.ts';
export type { LetterChoice } from './dead-letters.ts';
export { type Problem, SightlineApiError, SightlineConnectionError } from './errors.ts';
export type { EventOptions, SightlineEvent } from './events.ts';
export { SightlineJobError } from './jobs.ts';
export type { MetadataOptions } from './metadata.ts';
export type { RecordingWindow } from './recordings.ts';
export type { ClientOptions } from './transport.ts';
export type * from './types.ts';

/** Which events: `from` and `to` in RFC 3339, `to` exclusive. */
export interface RuleEventFilters {
  readonly streamId?: string;
  readonly rule?: string;
  readonly from?: string;
  readonly to?: string;
}

export interface QueryOptions extends CallOptions {
  /** For each `?` of the query, in order. */
  readonly parameters?: readonly (string | number | boolean | null)[];
  /** Rows, 1 to 10000. Default 1000. */
  readonly limit?: number;
}

/**
 * The API of a Sightline server, in Node and in browsers. GETs are sent again when no answer comes, POSTs too, under an
 * Idempotency-Key. Every call takes an AbortSignal, and throws SightlineApiError, SightlineConnectionError, or the
 * reason of the signal.
 */
export class SightlineClient {
  readonly streams: Streams;
  readonly pipelines: Pipelines;
  readonly cameras: Cameras;
  readonly sinks: Sinks;
  readonly deadLetters: DeadLetters;
  /** Interesting events that rules found. */
  readonly ruleEvents: Resource<RuleEvent, RuleEventFilters>;
  readonly recordings: Recordings;
  readonly jobs: Jobs;
  readonly models: Resource<Model>;
  readonly workers: Pick<Resource<Worker, { readonly pipelineId?: string }>, 'all' | 'page'>;
  readonly #transport: Transport;

  constructor(options: ClientOptions = {}) {
    const transport = new Transport(options);
    this.#transport = transport;
    this.streams = new Streams(transport, 'streams');
    this.pipelines = new Pipelines(transport, 'pipelines');
    this.cameras = new Cameras(transport, 'cameras');
    this.sinks = new Sinks(transport);
    this.deadLetters = new DeadLetters(transport, 'dead-letters');
    this.ruleEvents = new Resource(transport, 'rule-events');
    this.recordings = new Recordings(transport);
    this.jobs = new Jobs(transport, 'jobs');
    this.models = new Resource(transport, 'models');
    this.workers = new Resource(transport, 'workers');
  }

  /** What the streams cost the box, and how much is left. */
  capacity(options: CallOptions = {}): Promise<Capacity> {
    return this.#transport.json('GET', '/v1/capacity', options);
  }

  /** The rules with their counters. */
  async rules(options: CallOptions = {}): Promise<readonly Rule[]> {
    const { items } = await this.#transport.json<{ items: Rule[] }>('GET', '/v1/rules', options);
    return items;
  }

  /** Boxes that share streams, and who runs what. Throws SL_NOT_FOUND where the server is in no fleet. */
  fleet(options: CallOptions = {}): Promise<Fleet> {
    return this.#transport.json('GET', '/v1/fleet', options);
  }

  /** One SELECT over what the server's file sinks keep, where its configuration allows that (docs/query.md). */
  query(sql: string, options: QueryOptions = {}): Promise<QueryAnswer> {
    const { signal, ...rest } = options;
    const body = { sql, ...rest };
    return this.#transport.json('POST', '/v1/query', {
      body,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /**
   * Frames as they come, for showing them: `for await (const frame of client.metadata({ streamId }))`. What is missed is
   * gone; who must miss nothing takes a sink.
   */
  metadata(options: MetadataOptions = {}): AsyncGenerator<FrameJson> {
    return watchMetadata(this.#transport, options);
  }

  /** Events as they happen, over breaks of the line: `for await (const event of client.events())`. */
  events(options: EventOptions = {}): AsyncGenerator<SightlineEvent> {
    return watchEvents(this.#transport, options);
  }
}
