import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SelfSigned {
  readonly cert: string;
  readonly key: string;
  /** Key and certificate in one file. */
  readonly pair: string;
}

/** A certificate for localhost and 127.0.0.1 that signs itself, as files in a folder that others may read. */
export function selfSigned(dir: string): SelfSigned {
  const [cert, key, pair] = ['cert.pem', 'key.pem', 'pair.pem'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  const { status, stderr } = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-days', '2', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert],
  ]);
  if (status !== 0) throw new Error(`openssl failed: ${String(stderr)}`);
  writeFileSync(pair, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'));
  for (const file of [cert, key, pair]) chmodSync(file, 0o644);
  return { cert, key, pair };
}
