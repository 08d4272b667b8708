import { createHmac } from 'node:crypto';

/** Seconds since the Unix epoch when the request was made, as text. */
export const TIMESTAMP_HEADER = 'sightline-timestamp';
/** `keyid=<id>,v1=<hex>`, one after the other with a space between where two keys sign. */
export const SIGNATURE_HEADER = 'sightline-signature';

export interface SigningKey {
  readonly id: string;
  readonly secret: string;
}

/**
 * HMAC-SHA-256 over `<timestamp>.<body>`, once a key. The time is under the signature so that a receiver can refuse
 * requests that somebody kept and sends again.
 */
export function signatureOf(
  timestamp: string,
  body: Uint8Array,
  keys: readonly SigningKey[],
): string {
  return keys
    .map(({ id, secret }) => {
      const digest = createHmac('sha256', secret)
        .update(`${timestamp}.`)
        .update(body)
        .digest('hex');
      return `keyid=${id},v1=${digest}`;
    })
    .join(' ');
}
