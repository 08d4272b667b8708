import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Files of an authority and of what it signed for 127.0.0.1 and localhost, made by openssl and gone after the test. */
export function makeCertificates(context: TestContext): {
  readonly ca: string;
  readonly server: Certificate;
  readonly client: Certificate;
} {
  const dir = mkdtempSync(join(tmpdir(), 'sightline-tls-'));
  context.after(() => rmSync(dir, { recursive: true, force: true }));
  // Brokers read them as a user of their own.
  chmodSync(dir, 0o755);
  const ca = { cert: join(dir, 'ca.pem'), key: join(dir, 'ca.key') };
  openssl('req', '-x509', ...newKey(ca.key), '-subj', '/CN=Test authority', '-out', ca.cert);
  const names = join(dir, 'names');
  writeFileSync(names, 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  const sign = (name: string): Certificate => {
    const made = { cert: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) };
    const request = join(dir, `${name}.csr`);
    openssl('req', ...newKey(made.key), '-subj', `/CN=${name}`, '-out', request);
    openssl(
      ...['x509', '-req', '-in', request, '-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial'],
      ...['-days', '2', '-extfile', names, '-out', made.cert],
    );
    chmodSync(made.key, 0o644);
    return made;
  };
  return { ca: ca.cert, server: sign('server'), client: sign('client') };
}

function newKey(path: string): string[] {
  return [
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-keyout', path],
  ];
}

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync('openssl', args);
  assert.equal(status, 0, String(stderr));
}
