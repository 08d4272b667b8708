import { SightlineError } from '../common/errors.ts';

/** Longest line either side may send: a graph of many streams fits, a runaway writer does not. 4 MiB. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;

const NEWLINE = 0x0a;

/** Cuts a byte stream into JSON values, one a line. Holds at most one unfinished line of bounded length. */
export class JsonLineReader {
  readonly #maxLineBytes: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(maxLineBytes: number = MAX_LINE_BYTES) {
    this.#maxLineBytes = maxLineBytes;
  }

  /**
   * Takes a chunk and iterates over the values that are complete now.
   * @throws SightlineError `SL_WORKER_DIED` at a line that is too long or no JSON: the writer is broken.
   */
  *push(chunk: Buffer): Generator<unknown, void, undefined> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      const piece = chunk.subarray(start, end === -1 ? chunk.length : end);
      if (this.#bytes + piece.length > this.#maxLineBytes) {
        throw new SightlineError(
          'SL_WORKER_DIED',
          `The worker sent a control line of more than ${this.#maxLineBytes} bytes; it is broken and must be restarted`,
        );
      }
      this.#pieces.push(piece);
      this.#bytes += piece.length;
      if (end === -1) return;
      const line = Buffer.concat(this.#pieces, this.#bytes).toString('utf8');
      this.#pieces = [];
      this.#bytes = 0;
      start = end + 1;
      yield parseLine(line);
    }
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new SightlineError(
      'SL_WORKER_DIED',
      `The worker sent a control line of ${line.length} characters that is no JSON; it is broken and must be restarted`,
      { cause },
    );
  }
}

/** Cuts a log stream into text lines; over-long ones are split, so that a line never grows without bound. */
export class TextLineReader {
  readonly #maxLineLength: number;
  readonly #decoder = new TextDecoder();
  #rest = '';

  constructor(maxLineLength = 8 * 1024) {
    this.#maxLineLength = maxLineLength;
  }

  *push(chunk: Buffer): Generator<string, void, undefined> {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield* this.#split(line);
    while (this.#rest.length > this.#maxLineLength) {
      yield this.#rest.slice(0, this.#maxLineLength);
      this.#rest = this.#rest.slice(this.#maxLineLength);
    }
  }

  /** What is left without a line end. */
  *end(): Generator<string, void, undefined> {
    if (this.#rest !== '') yield this.#rest;
    this.#rest = '';
  }

  *#split(line: string): Generator<string, void, undefined> {
    for (let start = 0; start < line.length; start += this.#maxLineLength) {
      yield line.slice(start, start + this.#maxLineLength);
    }
  }
}
