import type { Readable } from 'node:stream';

/** A closed segment on this machine's disk, on its way to the store. */
export interface StoredFile {
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hex, of the whole file. */
  readonly sha256: string;
  /** Without the store's prefix. */
  readonly key: string;
  readonly contentType: string;
  /** Printable ASCII. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Where segments are kept. Each is put once: the same bytes again are a success, other bytes an error. */
export interface SegmentStore {
  /** For logs and the API; never a secret. */
  readonly name: string;
  /** Segments are kept until something else removes them, for example a lifecycle rule. */
  readonly keepsForEver: boolean;
  /** @throws SightlineError one of `SL_SINK_*`; the whole file is read from the disk, never held in memory */
  put(file: StoredFile, signal: AbortSignal): Promise<void>;
  /** Whether it holds this very segment. @throws SightlineError one of `SL_SINK_*` */
  has(file: Pick<StoredFile, 'key' | 'bytes' | 'sha256'>, signal: AbortSignal): Promise<boolean>;
  /** Bytes `start` to before `end`. @throws SightlineError one of `SL_SINK_*` */
  read(key: string, start: number, end: number, signal: AbortSignal): Promise<Readable>;
  /** For stores that do not keep for ever. Gone already is fine. */
  remove(key: string): Promise<void>;
  close(): void;
}
