import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadAddon } from '../../src/gst/load-addon.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-addon-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('loadAddon() gives the same addon every time', () => {
  assert.equal(loadAddon(), loadAddon());
  assert.match(loadAddon().version(), /^1\.\d+\.\d+$/);
});

test('loadAddon() says that the addon is not built and what to run', () => {
  const path = join(folder, 'missing.node');
  assert.throws(() => loadAddon(path), {
    code: 'SL_ADDON_LOAD_FAILED',
    message: `Cannot load the GStreamer addon ${path}: it is not built. Run \`npm run setup\`.`,
  });
});

test('loadAddon() says that the file is none for this machine', async () => {
  const path = join(folder, 'text.node');
  await writeFile(
    path,
    'This is a text of more than sixty-four bytes, and surely no shared library.',
  );
  assert.throws(() => loadAddon(path), {
    code: 'SL_ADDON_LOAD_FAILED',
    message: /it was built for another Node\.js or machine than v\d+/,
  });
});
