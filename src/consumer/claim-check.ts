import { createHash } from 'node:crypto';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { SightlineError } from '../common/errors.ts';

export const CLAIM_TYPE = 'application/vnd.sightline.claim-check+json';

/** Body of a message whose record lies in S3. */
interface Claim {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
  /** Where its bytes begin, in an object that holds more than these. */
  readonly offset?: number;
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly contentType: string;
}

export interface ClaimedBody {
  readonly body: Uint8Array;
  readonly contentType: string;
}

/**
 * Fetches the body a claim check stands for, and checks its size and SHA-256.
 * @throws SightlineError `SL_MESSAGE_INVALID` for a claim that is none or an object that is not the one that was put there;
 * `SL_UNAVAILABLE` when the object cannot be read now (also when it is not there yet)
 */
export async function fetchClaim(
  text: string,
  s3: Pick<S3Client, 'send'>,
  abortSignal: AbortSignal,
): Promise<ClaimedBody> {
  const { bucket, key, versionId, offset, size, sha256, contentType } = parse(text);
  const what = `s3://${bucket}/${key}`;
  let body: Uint8Array;
  try {
    const command = new GetObjectCommand({
      Bucket: bucket,
      Key: key,
      ...(versionId === undefined ? {} : { VersionId: versionId }),
      ...(offset === undefined ? {} : { Range: `bytes=${offset}-${offset + size - 1}` }),
    });
    const { Body } = await s3.send(command, { abortSignal });
    body = (await Body?.transformToByteArray()) ?? new Uint8Array();
  } catch (cause) {
    const { name = 'unknown' } = cause as { name?: string };
    const message = `Cannot fetch ${what}, where the record of a message lies (${name})`;
    throw new SightlineError('SL_UNAVAILABLE', message, { cause });
  }
  const hash = createHash('sha256').update(body).digest('hex');
  if (body.byteLength === size && hash === sha256) return { body, contentType };
  throw new SightlineError(
    'SL_MESSAGE_INVALID',
    `Cannot use ${what}: its ${body.byteLength} bytes are not the ${size} that were put there`,
  );
}

function parse(text: string): Claim {
  try {
    const claim = JSON.parse(text) as Partial<Claim>;
    const { bucket, key, offset = 0, size, sha256, contentType } = claim;
    const isClaim =
      [bucket, key, sha256, contentType].every((item) => typeof item === 'string') &&
      [offset, size].every((item) => Number.isSafeInteger(item) && item! >= 0);
    if (isClaim) return claim as Claim;
  } catch {}
  throw new SightlineError('SL_MESSAGE_INVALID', 'Cannot read a claim check: it names no object');
}
