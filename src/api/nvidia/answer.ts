import { type Answer, writeJson } from './write-json.ts';

/** The codes of NVIDIA's enumeration, with its texts (the misspelt one too). */
const STATUS_TEXTS = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  408: 'Request Timout',
  413: 'Payload Too Large',
  500: 'Internal Server Error',
} as const;
export type Status = keyof typeof STATUS_TEXTS;

export const JSON_TYPE = 'text/plain';
export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** An answer before it is put on the wire. */
export interface Reply {
  /** Of the status line; 200 unless said otherwise, whatever the body says. */
  readonly status: Status;
  readonly contentType: string;
  readonly body: string;
  /** Called when the answer has left, or cannot. */
  readonly afterwards?: () => void;
}

export function statusText(status: Status): string {
  return `HTTP/1.1 ${status} ${STATUS_TEXTS[status]}`;
}

/** The body of nearly every endpoint: what happened, and a status that the status line does not tell. */
export function result(
  status: Status,
  reason: string,
  more: { readonly [name: string]: Answer } = {},
): Reply {
  return json({ ...more, reason, status: statusText(status) });
}

/** A refusal of our own, which NVIDIA's server never gives: with the real status line. */
export function refusal(status: Status, reason: string): Reply {
  return { ...result(status, reason), status };
}

export function json(body: Answer, status: Status = 200): Reply {
  return { status, contentType: JSON_TYPE, body: writeJson(body) };
}

/** A known method that the endpoint does not answer. */
export const NOTHING: Reply = json(null);

/** A request that cannot be done, with the body to say so. */
export class Refused extends Error {
  readonly status: Status;

  constructor(status: Status, reason: string) {
    super(reason);
    this.status = status;
  }
}
