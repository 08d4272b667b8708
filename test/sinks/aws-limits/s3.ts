import { createHash } from 'node:crypto';
import { type Answer, type Seen, type ServiceLimits, s3Error } from './limits.ts';

// PutObject, UploadPart and CompleteMultipartUpload of the S3 API reference: conditional writes, checksums, sizes.

const MAX_KEY_BYTES = 1024;
const MAX_METADATA_BYTES = 2048;
const MAX_PARTS = 10_000;
const MIN_PART_BYTES = 5 * 1024 * 1024;
/** The account that owns every bucket. */
export const BUCKET_OWNER = '111122223333';

interface Target {
  /** Bucket and key. */
  readonly name: string;
  readonly key: string;
  readonly query: URLSearchParams;
}

function targetOf({ path }: Seen): Target {
  const { pathname, searchParams } = new URL(path, 'http://s3');
  const key = decodeURIComponent(pathname.split('/').slice(2).join('/'));
  return { name: pathname, key, query: searchParams };
}

/** A PUT of an object or the end of a multipart upload: what makes a key exist. */
function creates({ method }: Seen, { key, query }: Target): boolean {
  if (key === '' || query.has('partNumber')) return false;
  return method === 'PUT' || (method === 'POST' && query.has('uploadId'));
}

export class S3Limits implements ServiceLimits {
  /** SHA-256 (base64) of objects by bucket and key; empty where the client sent none. */
  readonly #objects = new Map<string, string>();
  readonly #beingCreated = new Map<string, Seen>();
  /** Part sizes of each open upload. */
  readonly #uploads = new Map<string, Map<number, number>>();

  /** How many uploads were begun and neither completed nor aborted. */
  get openUploads(): number {
    return this.#uploads.size;
  }

  refuse(seen: Seen): Answer | undefined {
    if (seen.action !== '') return undefined;
    const target = targetOf(seen);
    const owner = seen.headers['x-amz-expected-bucket-owner'];
    if (owner !== undefined && owner !== BUCKET_OWNER) return s3Error('AccessDenied', 403);
    if (Buffer.byteLength(target.key) > MAX_KEY_BYTES) return s3Error('KeyTooLongError', 400);
    if (metadataBytes(seen) > MAX_METADATA_BYTES) return s3Error('MetadataTooLarge', 400);
    return (
      this.#refuseSum(seen) ?? this.#refuseParts(seen, target) ?? this.#refuseKey(seen, target)
    );
  }

  /** The emulator reads a list of parts only without checksums in it. */
  onward({ method, body }: Seen): Buffer {
    if (method !== 'POST') return body;
    return Buffer.from(body.toString().replace(/<Checksum\w+>[^<]*<\/Checksum\w+>/g, ''));
  }

  answered(seen: Seen, status: number): Readonly<Record<string, string>> {
    if (seen.action !== '') return {};
    const target = targetOf(seen);
    const { name, query } = target;
    if (this.#beingCreated.get(name) === seen) this.#beingCreated.delete(name);
    if (status !== 200 && status !== 204) return {};
    const { method, headers } = seen;
    const sum = String(headers['x-amz-checksum-sha256'] ?? '');
    const uploadId = query.get('uploadId');
    if (query.has('partNumber')) {
      const parts = this.#uploads.get(uploadId!) ?? new Map<number, number>();
      this.#uploads.set(uploadId!, parts.set(Number(query.get('partNumber')), seen.body.length));
      return sum === '' ? {} : { 'x-amz-checksum-sha256': sum };
    }
    if (uploadId !== null && method !== 'GET') this.#uploads.delete(uploadId);
    if (creates(seen, target)) this.#objects.set(name, uploadId === null ? sum : '');
    if (method === 'DELETE' && uploadId === null) this.#objects.delete(name);
    const known = this.#objects.get(name) ?? '';
    const asks = headers['x-amz-checksum-mode'] === 'ENABLED' && known !== '';
    return asks && method === 'HEAD' ? { 'x-amz-checksum-sha256': known } : {};
  }

  #refuseSum({ method, headers, body }: Seen): Answer | undefined {
    const sum = headers['x-amz-checksum-sha256'];
    if (method !== 'PUT' || sum === undefined) return undefined;
    const actual = createHash('sha256').update(body).digest('base64');
    return actual === sum ? undefined : s3Error('BadDigest', 400);
  }

  #refuseParts({ method, body }: Seen, { query }: Target): Answer | undefined {
    const number = Number(query.get('partNumber') ?? 1);
    if (!(number >= 1 && number <= MAX_PARTS)) return s3Error('InvalidArgument', 400);
    if (method !== 'POST' || !query.has('uploadId')) return undefined;
    const sizes = this.#uploads.get(query.get('uploadId')!);
    if (sizes === undefined) return s3Error('NoSuchUpload', 404);
    const numbers = [...body.toString().matchAll(/<PartNumber>(\d+)</g)].map((m) => Number(m[1]));
    if (numbers.some((part) => !sizes.has(part))) return s3Error('InvalidPart', 400);
    const isSmall = numbers.slice(0, -1).some((part) => sizes.get(part)! < MIN_PART_BYTES);
    return isSmall ? s3Error('EntityTooSmall', 400) : undefined;
  }

  #refuseKey(seen: Seen, target: Target): Answer | undefined {
    if (!creates(seen, target)) return undefined;
    const { name } = target;
    const isConditional = seen.headers['if-none-match'] === '*';
    if (isConditional && this.#objects.has(name)) return s3Error('PreconditionFailed', 412);
    if (isConditional && this.#beingCreated.has(name)) {
      return s3Error('ConditionalRequestConflict', 409);
    }
    this.#beingCreated.set(name, seen);
    return undefined;
  }
}

function metadataBytes({ headers }: Seen): number {
  return Object.entries(headers)
    .filter(([name]) => name.startsWith('x-amz-meta-'))
    .reduce((sum, [name, value]) => {
      return sum + name.length - 'x-amz-meta-'.length + Buffer.byteLength(String(value));
    }, 0);
}
