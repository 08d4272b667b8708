import { createHash } from 'node:crypto';
import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SightlineError } from '../../common/errors.ts';
import { type AwsSpec, awsClientConfig, awsError } from './client.ts';

export { headerText } from '../header-text.ts';

export interface S3StoreSpec extends AwsSpec {
  readonly bucket: string;
  readonly prefix: string;
  readonly forcePathStyle?: boolean | undefined;
}

export interface S3Object {
  /** Without the store's prefix. */
  readonly key: string;
  readonly data: Uint8Array;
  readonly contentType: string;
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

/** Writes objects once: a second put of the same bytes is a success, of other bytes an error. */
export class S3Store {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(spec: S3StoreSpec, sockets: number) {
    this.#bucket = spec.bucket;
    this.#prefix = spec.prefix;
    this.#client = new S3Client({
      ...awsClientConfig(spec, sockets),
      forcePathStyle: spec.forcePathStyle ?? spec.endpoint !== undefined,
    });
  }

  /** @throws SightlineError one of `SL_SINK_*` */
  async put(object: S3Object, signal: AbortSignal): Promise<StoredObject> {
    const key = this.#prefix + object.key;
    const hash = createHash('sha256').update(object.data).digest();
    const stored = {
      bucket: this.#bucket,
      key,
      size: object.data.byteLength,
      sha256: hash.toString('hex'),
    };
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: object.data,
      ContentLength: object.data.byteLength,
      ContentType: object.contentType,
      ChecksumSHA256: hash.toString('base64'),
      Metadata: { ...object.metadata, sha256: stored.sha256 },
      IfNoneMatch: '*',
    });
    try {
      await this.#client.send(command, { abortSignal: signal });
    } catch (error) {
      if (statusOf(error) !== 412) throw awsError(error, `put s3://${this.#bucket}/${key}`);
      await this.#compare(stored, signal);
    }
    return stored;
  }

  close(): void {
    this.#client.destroy();
  }

  /** The key was there already: fine when it holds these bytes. */
  async #compare(stored: StoredObject, signal: AbortSignal): Promise<void> {
    const { bucket, key, size, sha256 } = stored;
    try {
      const command = new HeadObjectCommand({ Bucket: bucket, Key: key });
      const head = await this.#client.send(command, { abortSignal: signal });
      const other = head.Metadata?.['sha256'] ?? sha256;
      if (head.ContentLength === size && other === sha256) return;
    } catch (error) {
      throw awsError(error, `compare s3://${bucket}/${key}`);
    }
    throw new SightlineError(
      'SL_SINK_REJECTED',
      `Cannot put s3://${bucket}/${key}: the key holds another object already`,
    );
  }
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}
