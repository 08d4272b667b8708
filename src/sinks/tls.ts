import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SightlineError } from '../common/errors.ts';
import type { Tls } from './spec-parts.ts';

export interface TlsFiles {
  readonly rejectUnauthorized: boolean;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/**
 * Reads the files of a TLS connection.
 * @param baseDir where relative paths start
 * @throws SightlineError `SL_SINK_UNAVAILABLE` for a file that cannot be read
 */
export async function readTls(tls: Tls, baseDir: string, sinkId: string): Promise<TlsFiles> {
  const { caFile, certFile, keyFile, rejectUnauthorized } = tls;
  const [ca, cert, key] = await Promise.all(
    [caFile, certFile, keyFile].map((file) =>
      file === undefined ? undefined : readSinkFile(file, { baseDir, sinkId, what: 'TLS' }),
    ),
  );
  return {
    rejectUnauthorized,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/** @param options.what the kind of file, for messages. @throws SightlineError `SL_SINK_UNAVAILABLE` */
export async function readSinkFile(
  file: string,
  { baseDir, sinkId, what }: { baseDir: string; sinkId: string; what: string },
): Promise<Buffer> {
  const path = resolve(baseDir, file);
  try {
    return await readFile(path);
  } catch (cause) {
    const message = `Cannot read the ${what} file ${path} of sink ${sinkId}`;
    throw new SightlineError('SL_SINK_UNAVAILABLE', message, { cause });
  }
}
