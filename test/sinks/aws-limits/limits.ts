import type { IncomingMessage } from 'node:http';

/** A request as it came over the wire. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  /** `SendMessageBatch` and the like of the JSON protocols, empty for S3. */
  readonly action: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What AWS enforces and an emulator does not. One file for each service. */
export interface ServiceLimits {
  /** Refuses as AWS would; undefined: it is passed on. Requests of other services are none of its business. */
  refuse(seen: Seen): Answer | undefined;
  /** The body that is passed on, where the emulator understands less than AWS. */
  onward?(seen: Seen): Buffer;
  /** What the client is told, where the emulator was not told all. */
  rewrite?(seen: Seen, answer: Buffer): Buffer;
  /** The emulator answered (status 0: it did not). May give more headers for the answer. */
  answered?(seen: Seen, status: number): Readonly<Record<string, string>>;
}

/** The body of an error in the JSON protocol of SQS. */
export function sqsError(code: string, status = 400): Answer {
  return {
    status,
    body: JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message: code }),
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-query-error': `${code};Sender`,
    },
  };
}

export function s3Error(code: string, status: number): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  return { status, body, headers: { 'content-type': 'application/xml' } };
}
