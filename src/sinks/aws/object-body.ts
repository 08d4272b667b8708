import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

/** A file that becomes an object. */
export interface FileBody {
  /** Absolute. */
  readonly path: string;
  readonly byteLength: number;
}

/** What an object is made of: bytes, or a file that is read while it is sent. */
export type ObjectBody = Uint8Array | FileBody;

/** Bytes `start` to before `end`. @throws what the system says, or an error for a file that is shorter */
export async function readBody(body: ObjectBody, start: number, end: number): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body.subarray(start, end);
  const bytes = Buffer.allocUnsafe(end - start);
  const handle = await open(body.path, 'r');
  try {
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
      if (bytesRead === 0) throw new Error(`${body.path} is shorter than ${end} bytes`);
      done += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

/** The body as a request takes it. */
export function sendable(body: ObjectBody) {
  return body instanceof Uint8Array
    ? body
    : createReadStream(body.path, { end: body.byteLength - 1 });
}
