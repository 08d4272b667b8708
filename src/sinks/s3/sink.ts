import type { DeliveryResult, PendingRecord, Sink } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';
import { decodeImage } from '../../metadata/image.ts';
import { headerText, type S3Object, S3Store } from '../aws/object-store.ts';
import { SCHEMA_VERSION } from '../format/encode.ts';
import { eachLimited } from '../limited.ts';
import type { S3SinkSpec } from './spec.ts';

/** Puts pictures as objects at `<prefix><ref>`, each once, with SHA-256. */
export class S3Sink implements Sink {
  readonly id: string;
  readonly type = 's3';
  readonly kinds = ['image'] as const;
  readonly limits;
  readonly #store: S3Store;
  readonly #concurrency: number;

  constructor(spec: S3SinkSpec) {
    this.id = spec.id;
    this.#concurrency = spec.concurrency;
    this.#store = new S3Store(spec, spec.concurrency);
    const maxRecords = 4 * spec.concurrency;
    this.limits = { maxRecords, maxBytes: 32 * 1024 * 1024, maxWaitMs: 0 };
  }

  async deliver(
    batch: readonly PendingRecord[],
    { signal }: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    const results = new Array<DeliveryResult>(batch.length);
    // One failure of the service ends the batch: the rest would meet the same.
    let outage: SightlineError | undefined;
    await eachLimited(batch, this.#concurrency, async (record, index) => {
      if (outage !== undefined) {
        results[index] = { status: 'retry', error: outage };
        return;
      }
      results[index] = await this.#put(record, signal);
      const { status, error } = results[index] as { status: string; error?: SightlineError };
      if (status === 'retry' && error?.details['status'] !== 409) outage = error;
    });
    return results;
  }

  close(): Promise<void> {
    this.#store.close();
    return Promise.resolve();
  }

  async #put(record: PendingRecord, signal: AbortSignal): Promise<DeliveryResult> {
    try {
      await this.#store.put(toObject(record), signal);
      return { status: 'accepted' };
    } catch (thrown) {
      const error = thrown as SightlineError;
      return { status: error.code === 'SL_SINK_REJECTED' ? 'rejected' : 'retry', error };
    }
  }
}

function toObject(record: PendingRecord): S3Object {
  try {
    const image = decodeImage(record.payload);
    return {
      key: image.ref,
      data: image.data,
      contentType: image.contentType || 'application/octet-stream',
      metadata: {
        'record-id': headerText(record.recordId),
        'stream-id': headerText(record.streamId),
        'schema-version': SCHEMA_VERSION,
        'captured-at': new Date(record.atMs).toISOString(),
      },
    };
  } catch (cause) {
    const message = `Cannot read picture ${record.recordId}: its bytes are damaged`;
    throw new SightlineError('SL_SINK_REJECTED', message, { cause });
  }
}
