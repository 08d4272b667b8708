import type { PipelineSpec, PipelineStream, StreamSpec } from '../pipeline/spec.ts';

/** Keys that have no default, wherever they stand. */
type NoDefault = 'id' | 'source' | 'type' | 'url' | 'path' | 'model' | 'streams';

/** A spec as it may be given: what has a default may be left out. The server checks the rest. */
export type Given<T> = T extends readonly (infer Item)[]
  ? readonly Given<Item>[]
  : T extends object
    ? { readonly [K in keyof T as K extends NoDefault ? K : never]: Given<T[K]> } & {
        readonly [K in keyof T as K extends NoDefault ? never : K]?: Given<T[K]>;
      }
    : T;

export type StreamInput = Given<StreamSpec>;
export type PipelineInput = Given<PipelineSpec>;
export type PipelineStreamInput = Given<PipelineStream>;

/** A JSON Merge Patch: null takes a key away, lists are replaced. */
export type Patch = { readonly [key: string]: unknown };

/** Options of every call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** Options of a change. */
export interface ChangeOptions extends CallOptions {
  /** `generation` of the last read; `any`: change what is there. */
  readonly ifMatch: number | 'any';
}

/** Options of a POST. */
export interface PostOptions extends CallOptions {
  /** Default: a new one for each call. The same for all tries of one call. */
  readonly idempotencyKey?: string;
}

/** A change that was taken. */
export interface Changed<T> {
  readonly value: T;
  readonly created: boolean;
  /** It is still under way: `jobs.wait(jobId)`. */
  readonly jobId?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Cursor of the next page; absent on the last. */
  readonly next?: string;
}

export interface ListOptions extends CallOptions {
  /** Items of a page, 1 to 200. Default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}
