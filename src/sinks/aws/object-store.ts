import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  type StorageClass,
} from '@aws-sdk/client-s3';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import { fullJitterMs } from '../../common/retry.ts';
import { type AwsSpec, awsClientConfig } from './client.ts';
import { putInParts } from './multipart.ts';
import { type ObjectBody, sendable } from './object-body.ts';
import { RenewedClient } from './renewed-client.ts';

/** Of data that is hashed in one turn of the event loop. */
const HASH_BYTES = 1024 * 1024;
/** From here on objects are put in parts. */
const PARTS_FROM_BYTES = 16 * 1024 * 1024;
/** Puts that race for a key (409) are repeated so often before the outbox takes over. */
const RACES = 3;

export interface S3StoreSpec extends AwsSpec {
  readonly bucket: string;
  readonly prefix: string;
  readonly forcePathStyle?: boolean | undefined;
  /** The bucket's own when absent. */
  readonly encryption?:
    | { readonly type: 's3' }
    | {
        readonly type: 'kms';
        readonly keyId?: string | undefined;
        readonly bucketKey?: boolean | undefined;
      }
    | undefined;
  readonly storageClass?: string | undefined;
  /** Account id: a bucket of another one is refused. */
  readonly expectedBucketOwner?: string | undefined;
}

export interface S3Object {
  /** Without the store's prefix. */
  readonly key: string;
  readonly data: Uint8Array;
  readonly contentType: string;
  /** SHA-256 of the data, where it is known already. */
  readonly hash?: Buffer;
  /** Printable ASCII alone, as HTTP headers allow. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** An object that is read from a file while it is sent; its SHA-256 is known beforehand. */
export interface S3File extends Omit<S3Object, 'data' | 'hash'> {
  readonly data: Exclude<ObjectBody, Uint8Array>;
  readonly hash: Buffer;
}

/** The SDK writes to the console what it throws, too, when the body was a file. */
const nothing = (): void => undefined;
const SILENT = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Writes objects once: a second put of the same bytes is a success, of other bytes an error. */
export class S3Store {
  readonly #client: RenewedClient<S3Client>;
  readonly #spec: S3StoreSpec;

  constructor(spec: S3StoreSpec, sockets: number) {
    this.#spec = spec;
    this.#client = new RenewedClient(() => {
      const client = new S3Client({
        ...awsClientConfig(spec, sockets),
        logger: SILENT,
        forcePathStyle: spec.forcePathStyle ?? spec.endpoint !== undefined,
      });
      signKnownHashes(client);
      return client;
    });
  }

  /** @throws SightlineError one of `SL_SINK_*` */
  async put(object: S3Object | S3File, signal: AbortSignal): Promise<StoredObject> {
    const { bucket, prefix } = this.#spec;
    const key = prefix + object.key;
    const hash = object.hash ?? (await hashInTurns(object.data as Uint8Array));
    const sha256 = hash.toString('hex');
    const stored = { bucket, key, size: object.data.byteLength, sha256 };
    for (let race = 1; ; race++) {
      try {
        await this.#write(object, stored, signal);
        return stored;
      } catch (error) {
        const status = statusOf(error);
        if (status === 412) {
          await this.#compare(stored, signal);
          return stored;
        }
        if (status !== 409 || race > RACES) throw error;
        await delay(fullJitterMs(race, { baseMs: 50 }), undefined, { signal });
      }
    }
  }

  /** Whether the key holds these bytes. @throws SightlineError one of `SL_SINK_*` */
  has(object: Omit<StoredObject, 'bucket'>, signal: AbortSignal): Promise<boolean> {
    const { bucket, prefix } = this.#spec;
    return this.#holds({ ...object, bucket, key: prefix + object.key }, signal);
  }

  /** Bytes `start` to before `end` of an object. @throws SightlineError one of `SL_SINK_*` */
  async read(name: string, start: number, end: number, signal: AbortSignal): Promise<Readable> {
    const { bucket, prefix, expectedBucketOwner } = this.#spec;
    const command = new GetObjectCommand({
      Bucket: bucket,
      Key: prefix + name,
      Range: `bytes=${start}-${end - 1}`,
      ExpectedBucketOwner: expectedBucketOwner,
    });
    const { Body } = await this.#client.call(`read s3://${bucket}/${prefix}${name}`, (client) =>
      client.send(command, { abortSignal: signal }),
    );
    return Body as Readable;
  }

  close(): void {
    this.#client.close();
  }

  async #write(
    object: S3Object | S3File,
    stored: StoredObject,
    signal: AbortSignal,
  ): Promise<void> {
    const { data, contentType, metadata } = object;
    const { bucket, key, size, sha256 } = stored;
    const { expectedBucketOwner, storageClass } = this.#spec;
    const common = {
      Bucket: bucket,
      Key: key,
      ContentType: contentType,
      Metadata: { ...metadata, sha256 },
      ExpectedBucketOwner: expectedBucketOwner,
      StorageClass: storageClass as StorageClass | undefined,
      ...this.#encryption(),
    };
    const what = `put s3://${bucket}/${key}`;
    if (size >= PARTS_FROM_BYTES) {
      const upload = { object: common, data, signal };
      await this.#client.call(what, (client) => putInParts(client, upload));
      return;
    }
    const command = new PutObjectCommand({
      ...common,
      Body: sendable(data),
      ContentLength: size,
      ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
      IfNoneMatch: '*',
    });
    const { ETag } = await this.#client.call(what, (client) =>
      client.send(command, { abortSignal: signal }),
    );
    // Something else may have answered 200 in its place.
    if (ETag !== undefined) return;
    throw new SightlineError('SL_SINK_UNAVAILABLE', `Cannot ${what}: the answer names no object`);
  }

  #encryption(): Partial<PutObjectCommandInput> {
    const { encryption } = this.#spec;
    if (encryption === undefined) return {};
    if (encryption.type === 's3') return { ServerSideEncryption: 'AES256' };
    const { keyId, bucketKey } = encryption;
    return {
      ServerSideEncryption: 'aws:kms',
      ...(keyId === undefined ? {} : { SSEKMSKeyId: keyId }),
      ...(bucketKey === undefined ? {} : { BucketKeyEnabled: bucketKey }),
    };
  }

  /** The key was there already: fine when it holds these bytes. */
  async #compare(stored: StoredObject, signal: AbortSignal): Promise<void> {
    const { bucket, key } = stored;
    if (await this.#holds(stored, signal)) return;
    throw new SightlineError(
      'SL_SINK_REJECTED',
      `Cannot put s3://${bucket}/${key}: the key holds another object already`,
    );
  }

  async #holds({ bucket, key, size, sha256 }: StoredObject, signal: AbortSignal): Promise<boolean> {
    const { expectedBucketOwner } = this.#spec;
    const command = new HeadObjectCommand({
      Bucket: bucket,
      Key: key,
      ExpectedBucketOwner: expectedBucketOwner,
    });
    try {
      const head = await this.#client.call(`compare s3://${bucket}/${key}`, (client) =>
        client.send(command, { abortSignal: signal }),
      );
      return head.ContentLength === size && head.Metadata?.['sha256'] === sha256;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw error;
    }
  }
}

/** The signature has the SHA-256 of the body in it: what a request tells of it need not be worked out once more. */
function signKnownHashes({ middlewareStack }: S3Client): void {
  middlewareStack.add(
    (next) => (args) => {
      const { ChecksumSHA256 } = args.input as Partial<PutObjectCommandInput>;
      if (ChecksumSHA256 !== undefined) {
        const { headers } = args.request as { headers: Record<string, string> };
        headers['x-amz-content-sha256'] = Buffer.from(ChecksumSHA256, 'base64').toString('hex');
      }
      return next(args);
    },
    { step: 'build', name: 'signKnownHash' },
  );
}

/** SHA-256 of data of any size without holding up everything else. */
export async function hashInTurns(data: Uint8Array): Promise<Buffer> {
  const hash = createHash('sha256');
  for (let at = 0; at < data.byteLength; at += HASH_BYTES) {
    if (at > 0) await nextTurn();
    hash.update(data.subarray(at, at + HASH_BYTES));
  }
  return hash.digest();
}

function statusOf(error: unknown): unknown {
  return toSightlineError(error).details['status'];
}
