import { SightlineError } from '../common/errors.ts';
import { MAX_BODY_BYTES } from './store.ts';

/** Throws `SL_REQUEST_INVALID` for a body that not every store can hold. */
export function checkBody(collection: string, id: string, body: string): void {
  const bytes = Buffer.byteLength(body);
  if (bytes <= MAX_BODY_BYTES) return;
  throw new SightlineError(
    'SL_REQUEST_INVALID',
    `Cannot keep ${collection}/${id} in the fleet's store: ${bytes} bytes, at most ${MAX_BODY_BYTES} are allowed`,
    { details: { bytes, maxBytes: MAX_BODY_BYTES } },
  );
}
