import { type ErrorCode, SightlineError, toSightlineError } from './errors.ts';

/** Calls into a worker thread, by name: what goes in and what comes back, both fit for structured cloning. */
export type CallTable<C> = { readonly [K in keyof C]: { args: unknown; result: unknown } };

/** An error on its way between threads. */
export interface ErrorMessage {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface CallMessage {
  readonly id: number;
  readonly call: string;
  readonly args: unknown;
}

/** What a thread tells without being asked. */
export interface EventMessage {
  readonly event: unknown;
}

export type ReplyMessage =
  | EventMessage
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: ErrorMessage };

/** Its cause and stack stay behind: they may not be cloneable. */
export function packError(error: unknown): ErrorMessage {
  const { code, message, details } = toSightlineError(error);
  return { code, message, details };
}

export function unpackError({ code, message, details }: ErrorMessage): SightlineError {
  return new SightlineError(code, message, { details });
}
