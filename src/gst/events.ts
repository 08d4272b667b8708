/** A GstStructure as JSON. 64-bit integers beyond 2^53 are decimal strings. */
export interface Structure {
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

interface Posted {
  /** The graph's node, also when an element inside of it posted; null for the pipeline itself. */
  readonly node: string | null;
  readonly element: string | null;
  readonly factory: string | null;
}

export type ErrorDomain = 'resource' | 'stream' | 'library' | 'core' | 'other';

/** An error or a warning on the bus. */
export interface IssueEvent extends Posted {
  readonly type: 'error' | 'warning';
  readonly domain: ErrorDomain;
  /** GStreamer's number within the domain. */
  readonly code: number;
  readonly message: string;
  readonly debug: string | null;
  readonly details: Structure | null;
}

export interface ElementEvent extends Posted {
  readonly type: 'element';
  readonly structure: Structure | null;
}

/** The pipeline itself changed its state. */
export interface StateEvent {
  readonly type: 'state';
  readonly from: string;
  readonly to: string;
  /** No further change is on its way. */
  readonly settled: boolean;
}

/** The first buffer left (or, for a sink, reached) a watched node. */
export interface FirstBufferEvent {
  readonly type: 'first-buffer';
  readonly node: string;
}

/** An end-of-stream left (or, for a sink, reached) a watched node. */
export interface NodeEosEvent {
  readonly type: 'node-eos';
  readonly node: string;
}

/** The descriptor that takes the records is broken: nothing is written to it any longer. */
export interface WriterStoppedEvent {
  readonly type: 'writer-stopped';
  readonly fd: number;
  /** errno. */
  readonly error: number;
  readonly message: string;
}

export type PipelineEvent =
  | IssueEvent
  | ElementEvent
  | StateEvent
  | FirstBufferEvent
  | NodeEosEvent
  | WriterStoppedEvent
  | { readonly type: 'eos' };

/** The answer to one request of the addon. */
export interface ReplyEvent {
  readonly type: 'reply';
  readonly id: number;
  readonly result?: unknown;
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly details: Readonly<Record<string, string>>;
  };
}
