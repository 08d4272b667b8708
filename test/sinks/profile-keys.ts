import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from '../support/cleanup.ts';

/** A file of keys in the place of the user's own, until the test is over. */
export function profileKeys(context: Cleanup): { write(accessKeyId: string): void } {
  const dir = mkdtempSync(join(tmpdir(), 'sightline-keys-'));
  const before = process.env['AWS_SHARED_CREDENTIALS_FILE'];
  context.after(() => {
    rmSync(dir, { recursive: true, force: true });
    if (before === undefined) delete process.env['AWS_SHARED_CREDENTIALS_FILE'];
    else process.env['AWS_SHARED_CREDENTIALS_FILE'] = before;
  });
  const file = join(dir, 'credentials');
  process.env['AWS_SHARED_CREDENTIALS_FILE'] = file;
  return {
    write: (id) =>
      writeFileSync(file, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = x\n`),
  };
}
