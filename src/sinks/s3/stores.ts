import { type SightlineError, toSightlineError } from '../../common/errors.ts';
import { type S3Object, S3Store, type StoredObject } from '../aws/object-store.ts';
import type { EventLog } from '../event-log.ts';
import type { S3SinkSpec } from './spec.ts';

/** The bucket and, where there is one, the backup that takes over while the bucket takes nothing. */
export class Stores {
  readonly #spec: S3SinkSpec;
  readonly #logger: EventLog | undefined;
  readonly #primary: S3Store;
  readonly #backup: S3Store | undefined;
  /** When the failures of the bucket began; monotonic. */
  #failingSinceMs: number | undefined;
  /** Until when the backup is used; monotonic. */
  #backupUntilMs = 0;
  #inBackup = 0;
  #backupObjects = 0;

  constructor(spec: S3SinkSpec, logger: EventLog | undefined) {
    this.#spec = spec;
    this.#logger = logger;
    this.#primary = new S3Store(spec, spec.concurrency);
    const { backup, encryption, storageClass, ...shared } = spec;
    this.#backup =
      backup &&
      new S3Store({ ...onlyAws(shared), ...backup, ...{ storageClass } }, spec.concurrency);
  }

  /** Objects that the backup took, since the start; undefined where there is none. */
  get backupObjects(): number | undefined {
    return this.#backup === undefined ? undefined : this.#backupObjects;
  }

  /** @throws SightlineError one of `SL_SINK_*` */
  async put(object: S3Object, signal: AbortSignal): Promise<StoredObject> {
    if (this.#backup !== undefined && performance.now() < this.#backupUntilMs) {
      return this.#putInBackup(this.#backup, object, signal);
    }
    try {
      const stored = await this.#primary.put(object, signal);
      this.#recovered();
      return stored;
    } catch (thrown) {
      const error = toSightlineError(thrown);
      if (this.#backup === undefined || !this.#isOver(error)) throw error;
      return this.#putInBackup(this.#backup, object, signal);
    }
  }

  close(): void {
    this.#primary.close();
    this.#backup?.close();
  }

  /** Counts a failure of the bucket; true when it has failed for too long. An object that is refused is none. */
  #isOver(error: SightlineError): boolean {
    if (error.code === 'SL_SINK_REJECTED' || error.details['status'] === 409) return false;
    const { afterMs, forMs, bucket } = this.#spec.backup!;
    const now = performance.now();
    this.#failingSinceMs ??= now;
    if (now - this.#failingSinceMs < afterMs) return false;
    this.#backupUntilMs = now + forMs;
    const { message: reason, code } = error;
    this.#logger?.warn({ sink: this.#spec.id, backup: bucket, code, reason, forMs }, 's3.backup');
    return true;
  }

  #recovered(): void {
    this.#failingSinceMs = undefined;
    if (this.#inBackup === 0) return;
    const { id, backup } = this.#spec;
    const facts = { sink: id, backup: backup!.bucket, objects: this.#inBackup };
    this.#logger?.info(facts, 's3.backup_ended');
    this.#inBackup = 0;
  }

  async #putInBackup(backup: S3Store, object: S3Object, signal: AbortSignal) {
    const stored = await backup.put(object, signal);
    this.#inBackup++;
    this.#backupObjects++;
    return stored;
  }
}

/** What the backup shares with the bucket unless it says otherwise. Keys of KMS and owners are of one account and region. */
function onlyAws({ region, endpoint, credentials, forcePathStyle }: S3SinkSpec) {
  return { region, endpoint, credentials, forcePathStyle };
}
