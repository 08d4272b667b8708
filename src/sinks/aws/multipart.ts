import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { eachLimited } from '../limited.ts';
import { type ObjectBody, readBody } from './object-body.ts';

/** S3 takes at least 5 MiB a part but for the last. */
export const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_A_TIME = 4;
/** Of a file: each part is in memory while it is on its way. */
const FILE_PARTS_AT_A_TIME = 2;
const ABORT_MS = 5_000;

export interface Upload {
  /** Bucket, key and what the object is to have. */
  readonly object: CreateMultipartUploadCommandInput;
  readonly data: ObjectBody;
  readonly signal: AbortSignal;
}

/**
 * Puts an object in parts, each with its SHA-256, and only where the key holds none. An upload that fails is aborted, so
 * that its parts are not paid for; should that fail too, or the process end, the lifecycle rule of the bucket does it.
 * @throws what the client throws
 */
export async function putInParts(client: S3Client, upload: Upload): Promise<void> {
  const { object, data, signal } = upload;
  const { Bucket, Key, ExpectedBucketOwner } = object;
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ ...object, ChecksumAlgorithm: 'SHA256' }),
    { abortSignal: signal },
  );
  const address = { Bucket, Key, UploadId, ExpectedBucketOwner };
  try {
    const parts = await putParts(client, address, upload);
    const command = new CompleteMultipartUploadCommand({
      ...address,
      MultipartUpload: { Parts: parts },
      MpuObjectSize: data.byteLength,
      IfNoneMatch: '*',
    });
    await client.send(command, { abortSignal: signal });
  } catch (error) {
    const command = new AbortMultipartUploadCommand(address);
    const abortSignal = AbortSignal.timeout(ABORT_MS);
    // Where the end of the upload was accepted and its answer lost there is nothing to abort.
    await client.send(command, { abortSignal }).catch(() => undefined);
    throw error;
  }
}

type Address = Pick<CreateMultipartUploadCommandInput, 'Bucket' | 'Key' | 'ExpectedBucketOwner'> & {
  readonly UploadId: string | undefined;
};

async function putParts(
  client: S3Client,
  address: Address,
  { data, signal }: Upload,
): Promise<CompletedPart[]> {
  const count = Math.ceil(data.byteLength / PART_BYTES);
  const parts = new Array<CompletedPart>(count);
  let failure: { readonly error: unknown } | undefined;
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const atATime = data instanceof Uint8Array ? PARTS_AT_A_TIME : FILE_PARTS_AT_A_TIME;
  await eachLimited(numbers, atATime, async (PartNumber) => {
    if (failure !== undefined) return;
    try {
      const start = (PartNumber - 1) * PART_BYTES;
      const Body = await readBody(data, start, Math.min(data.byteLength, start + PART_BYTES));
      const ChecksumSHA256 = createHash('sha256').update(Body).digest('base64');
      const command = new UploadPartCommand({ ...address, PartNumber, Body, ChecksumSHA256 });
      const { ETag } = await client.send(command, { abortSignal: signal });
      parts[PartNumber - 1] = { PartNumber, ETag, ChecksumSHA256 };
    } catch (error) {
      failure ??= { error };
    }
  });
  if (failure !== undefined) throw failure.error;
  return parts;
}
