import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { SightlineError } from '../common/errors.ts';

/** ONNX files hold at most 2 GiB: protobuf's own limit. */
const MAX_BYTES = 2 * 1024 ** 3;
const TIMEOUT_MS = 15 * 60_000;

export interface DownloadOptions {
  readonly signal?: AbortSignal;
  /** Default 2 GiB. */
  readonly maxBytes?: number;
  /** Limit of the whole transfer. Default 15 minutes. */
  readonly timeoutMs?: number;
}

/**
 * Downloads an http(s) URL into a file. The caller checks what came by its checksum.
 * @throws SightlineError `SL_UNAVAILABLE` when it cannot be had, `SL_MODEL_INVALID` when it is larger than allowed.
 */
export async function downloadFile(
  url: string,
  target: string,
  options: DownloadOptions = {},
): Promise<void> {
  const { maxBytes = MAX_BYTES, timeoutMs = TIMEOUT_MS } = options;
  const limit = AbortSignal.timeout(timeoutMs);
  const signal = options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]);
  try {
    const response = await fetch(url, { signal });
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
    const body = Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
    await pipeline(body, limitBytes(maxBytes), createWriteStream(target), { signal });
  } catch (cause) {
    if (cause instanceof SightlineError) throw cause;
    const { origin, pathname } = new URL(url);
    const reason = cause instanceof Error ? (cause.cause ?? cause) : cause;
    throw new SightlineError(
      'SL_UNAVAILABLE',
      `Cannot download ${origin}${pathname}: ${reason instanceof Error ? reason.message : String(reason)}`,
      { cause },
    );
  }
}

function limitBytes(maxBytes: number): Transform {
  let total = 0;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      total += chunk.length;
      if (total <= maxBytes) return done(null, chunk);
      const message = `Cannot use the download: it is larger than ${maxBytes} bytes`;
      done(new SightlineError('SL_MODEL_INVALID', message));
    },
  });
}
