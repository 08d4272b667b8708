import type { ErrorCode, Problem } from '../common/errors.ts';

/** Anything JSON can hold. */
export type Json =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Json[]
  | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/**
 * Who asked for a stream: a configuration file (read again at each start), a folder of specs that is watched, the API
 * (kept in the registry), or a fleet whose assigner gave it to this box.
 */
export type StreamSource = 'config' | 'folder' | 'api' | 'fleet';

/**
 * Where a stream is in its life. `live` is only said after a decoded frame. In `preparing` its TensorRT engines are
 * built, which takes minutes and happens once; the reason says how far that is. `degraded`, `stalled`, `disabled` and
 * `quarantined` are entered by supervision; a reader must know them all.
 */
export const STREAM_STATES = [
  'disabled',
  'pending',
  'preparing',
  'connecting',
  'live',
  'degraded',
  'stalled',
  'backoff',
  'draining',
  'stopped',
  'rejected',
  'quarantined',
] as const;
export type StreamState = (typeof STREAM_STATES)[number];

/** Why something is as it is: `code` for programs, `message` for people (secrets removed). */
export interface Reason {
  readonly code: ErrorCode;
  readonly message: string;
  /** Every problem of a refused document. */
  readonly problems?: readonly Problem[];
}
