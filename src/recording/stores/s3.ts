import type { Readable } from 'node:stream';
import { toSightlineError } from '../../common/errors.ts';
import { S3Store, type S3StoreSpec } from '../../sinks/aws/object-store.ts';
import type { SegmentStore, StoredFile } from './store.ts';

/** A bucket of S3, or of a server that speaks its protocol. What happens to old segments is its lifecycle rules' matter. */
export class S3SegmentStore implements SegmentStore {
  readonly name: string;
  readonly keepsForEver = true;
  readonly #make: () => S3Store;
  #store: S3Store;

  /** @param sockets requests at a time */
  constructor(spec: S3StoreSpec, sockets: number) {
    this.name = `s3://${spec.bucket}/${spec.prefix}`;
    this.#make = () => new S3Store(spec, sockets);
    this.#store = this.#make();
  }

  async put(file: StoredFile, signal: AbortSignal): Promise<void> {
    const { path, bytes, sha256, key, contentType, metadata } = file;
    const data = { path, byteLength: bytes };
    const hash = Buffer.from(sha256, 'hex');
    await this.#call((store) => store.put({ key, data, hash, contentType, metadata }, signal));
  }

  has({ key, bytes, sha256 }: Pick<StoredFile, 'key' | 'bytes' | 'sha256'>, signal: AbortSignal) {
    return this.#call((store) => store.has({ key, size: bytes, sha256 }, signal));
  }

  read(key: string, start: number, end: number, signal: AbortSignal): Promise<Readable> {
    return this.#call((store) => store.read(key, start, end, signal));
  }

  remove(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#store.close();
  }

  /** The SDK keeps the credentials it found: after they were refused it is to look for them anew. */
  async #call<T>(request: (store: S3Store) => Promise<T>): Promise<T> {
    const store = this.#store;
    try {
      return await request(store);
    } catch (thrown) {
      const error = toSightlineError(thrown);
      if (error.code === 'SL_SINK_UNAUTHORIZED' && this.#store === store) {
        this.#store = this.#make();
        store.close();
      }
      throw error;
    }
  }
}
