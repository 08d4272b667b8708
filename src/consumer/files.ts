import { createReadStream } from 'node:fs';
import { readVarint } from '../sinks/format/length-delimited.ts';
import { decodeMessage } from './decode.ts';
import type { SightlineRecord } from './records.ts';

/** Longest length before a message. */
const LENGTH_BYTES = 5;
const LINE_FEED = 0x0a;
const READ_BYTES = 256 * 1024;

/**
 * The records of a file of the file sink, in order: `.ndjson` and `.events.ndjson` by lines, anything else as protobuf with
 * lengths. Rows of recorded files and frames (`.segments.ndjson`, `.frames.ndjson`) are no records. What is cut off at the end, as in a file that is being written, is left out.
 * @throws SightlineError `SL_MESSAGE_INVALID` at a line or message that cannot be read
 */
export async function* readFile(path: string): AsyncGenerator<SightlineRecord, void, undefined> {
  yield* path.endsWith('.ndjson') ? readLines(path) : readDelimited(path);
}

async function* readLines(path: string): AsyncGenerator<SightlineRecord, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    let at = 0;
    for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED, at)) {
      if (end > at) yield* decodeMessage(rest.subarray(at, end));
      at = end + 1;
    }
    rest = rest.subarray(at);
  }
}

async function* readDelimited(path: string): AsyncGenerator<SightlineRecord, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    let at = 0;
    for (;;) {
      const length = readVarint(rest, at);
      if (length === undefined || length.end + length.value > rest.byteLength) {
        // Five bytes that are no length will not become one.
        if (length === undefined && rest.byteLength - at >= LENGTH_BYTES)
          decodeMessage(rest.subarray(at));
        break;
      }
      yield* decodeMessage(rest.subarray(length.end, length.end + length.value));
      at = length.end + length.value;
    }
    rest = rest.subarray(at);
  }
}
