import type { Socket } from 'node:net';
import { type SightlineError, toSightlineError } from '../common/errors.ts';
import { type DataRecord, RecordReader } from '../metadata/record-reader.ts';

/** Takes the records of one read. While the promise it returned is pending, nothing more is read. */
export type DataConsumer = (records: readonly DataRecord[]) => void | Promise<void>;

export interface DataLineOptions {
  readonly consume: DataConsumer;
  /** The line can no longer be read: the writer is broken. Called at most once. */
  readonly onBroken: (error: SightlineError) => void;
}

/**
 * Reads a worker's records and holds back when the consumer does: the socket pair fills, and the worker drops (and
 * counts) what no longer fits.
 */
export class DataLine {
  readonly #socket: Socket;
  readonly #options: DataLineOptions;
  readonly #reader = new RecordReader();
  /** Settles when the last record was handed over, after the worker closed its end. */
  readonly ended: Promise<void>;
  #handover: Promise<void> | undefined;
  #broken = false;

  constructor(socket: Socket, options: DataLineOptions) {
    this.#socket = socket;
    this.#options = options;
    this.ended = new Promise((resolve) => {
      socket.once('close', () => {
        void (this.#handover ?? Promise.resolve()).then(resolve);
      });
    });
    // A reset means that the other end died; the process' exit tells why.
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** Bytes of a record that was cut off by the worker's death. */
  get cutOffBytes(): number {
    return this.#reader.pendingBytes;
  }

  get paused(): boolean {
    return this.#handover !== undefined;
  }

  /** Stops reading for good. */
  destroy(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#broken) return;
    const records: DataRecord[] = [];
    try {
      for (const record of this.#reader.push(chunk)) records.push(record);
    } catch (error) {
      this.#broken = true;
      this.#options.onBroken(toSightlineError(error));
    }
    if (records.length > 0) this.#hand(records);
    if (this.#broken) this.destroy();
  }

  #hand(records: readonly DataRecord[]): void {
    const handover = this.#options.consume(records);
    if (handover === undefined) return;
    this.#socket.pause();
    this.#handover = handover.finally(() => {
      this.#handover = undefined;
      this.#socket.resume();
    });
  }
}
