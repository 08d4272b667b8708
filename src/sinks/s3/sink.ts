import type { DeliveryResult, PendingRecord, RecordKind, Sink } from '../../common/delivery.ts';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import { decodeImage } from '../../metadata/image.ts';
import type { S3Object } from '../aws/object-store.ts';
import type { EventLog } from '../event-log.ts';
import { SCHEMA_VERSION } from '../format/encode.ts';
import { headerText } from '../header-text.ts';
import { eachLimited } from '../limited.ts';
import { type RecordObject, RecordObjectMaker } from './record-objects.ts';
import type { S3SinkSpec } from './spec.ts';
import { Stores } from './stores.ts';

const IMAGE_BATCH_BYTES = 32 * 1024 * 1024;
/** Records of a batch when they gather into objects. */
const MOST_RECORDS = 20_000;

/** Puts pictures as objects at `<prefix><ref>`, or records gathered into objects; each once, with SHA-256. */
export class S3Sink implements Sink {
  readonly id: string;
  readonly type = 's3';
  readonly kinds: readonly RecordKind[];
  readonly limits;
  readonly #stores: Stores;
  readonly #concurrency: number;
  readonly #maker: RecordObjectMaker | undefined;

  /** @throws SightlineError `SL_CONFIG_INVALID` for a folder with unknown placeholders */
  constructor(spec: S3SinkSpec, logger?: EventLog) {
    const { id, concurrency, records } = spec;
    this.id = id;
    this.kinds = records?.kinds ?? ['image'];
    this.#concurrency = concurrency;
    this.#maker = records && new RecordObjectMaker(records);
    this.#stores = new Stores(spec, logger);
    this.limits =
      records === undefined
        ? { maxRecords: 4 * concurrency, maxBytes: IMAGE_BATCH_BYTES, maxWaitMs: 0 }
        : { maxRecords: MOST_RECORDS, maxBytes: records.maxBytes, maxWaitMs: records.maxAgeMs };
  }

  get backupObjects(): number | undefined {
    return this.#stores.backupObjects;
  }

  async deliver(
    batch: readonly PendingRecord[],
    { signal }: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    const results = new Array<DeliveryResult>(batch.length);
    const objects = await this.#objects(batch, results);
    // One failure of the service ends the batch: the rest would meet the same.
    let outage: SightlineError | undefined;
    await eachLimited(objects, this.#concurrency, async ({ indexes, object }) => {
      const error = outage ?? (await this.#put(object, signal));
      if (error === undefined) {
        for (const index of indexes) results[index] = { status: 'accepted' };
        return;
      }
      const status = error.code === 'SL_SINK_REJECTED' ? 'rejected' : 'retry';
      for (const index of indexes) results[index] = { status, error };
      if (status === 'retry' && error.details['status'] !== 409) outage = error;
    });
    return results;
  }

  close(): Promise<void> {
    this.#stores.close();
    return Promise.resolve();
  }

  async #objects(
    batch: readonly PendingRecord[],
    results: DeliveryResult[],
  ): Promise<readonly RecordObject[]> {
    if (this.#maker !== undefined) {
      const { objects, rejected } = await this.#maker.make(batch);
      for (const { index, error } of rejected) results[index] = { status: 'rejected', error };
      return objects;
    }
    return batch.flatMap((record, index): RecordObject[] => {
      try {
        return [{ indexes: [index], object: pictureObject(record) }];
      } catch (thrown) {
        results[index] = { status: 'rejected', error: toSightlineError(thrown) };
        return [];
      }
    });
  }

  async #put(object: S3Object, signal: AbortSignal): Promise<SightlineError | undefined> {
    try {
      await this.#stores.put(object, signal);
      return undefined;
    } catch (thrown) {
      return toSightlineError(thrown);
    }
  }
}

function pictureObject(record: PendingRecord): S3Object {
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
