import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SightlineError } from '../../src/common/errors.ts';
import { Database } from '../../src/common/sqlite.ts';
import { Registry } from '../../src/control/registry.ts';
import { temporaryFolder } from './support.ts';

const CAMERA = { id: 'cam', source: { url: 'rtsp://admin:hunter22@h/1' } };

test('what is added is there after reopening, secrets included; what is removed is not', (t) => {
  const folder = temporaryFolder(t);
  const first = new Registry(folder);
  first.add('cam', CAMERA, new Date(1_000));
  first.add('gone', { id: 'gone' }, new Date(2_000));
  assert.equal(first.remove('gone'), true);
  assert.equal(first.remove('gone'), false);
  assert.throws(
    () => first.add('cam', CAMERA, new Date()),
    (error) => error instanceof SightlineError && error.code === 'SL_CONFLICT',
  );
  first.close();
  const registry = new Registry(folder);
  t.after(() => registry.close());
  const [stream, ...others] = registry.streams();
  assert.deepEqual(others, []);
  assert.deepEqual(stream!.spec, CAMERA);
  assert.deepEqual(stream!.sealed.open, { id: 'cam', source: { url: 'rtsp://***@h/1' } });
  assert.deepEqual(stream!.createdAt, new Date(1_000));
});

test('only the owner can read its files, whatever they were before', (t) => {
  const folder = join(temporaryFolder(t), 'data');
  new Registry(folder).close();
  chmodSync(join(folder, 'registry.sqlite'), 0o644);
  const registry = new Registry(folder);
  t.after(() => registry.close());
  registry.add('cam', CAMERA, new Date());
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const file of readdirSync(folder)) {
    assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file);
  }
});

test('a removed secret is not left in the file', (t) => {
  const folder = temporaryFolder(t);
  const registry = new Registry(folder);
  registry.add('cam', CAMERA, new Date());
  registry.remove('cam');
  registry.close();
  for (const file of readdirSync(folder)) {
    assert.ok(!readFileSync(join(folder, file)).includes('hunter22'), file);
  }
});

test('a registry of a newer version is refused and left alone', (t) => {
  const folder = temporaryFolder(t);
  new Registry(folder).close();
  const db = new Database(join(folder, 'registry.sqlite'));
  db.pragma('user_version = 99');
  db.close();
  assert.throws(() => new Registry(folder), /newer Sightline \(format 99, this one reads 2\)/);
});

test('a registry that cannot be written says so with SL_UNAVAILABLE', (t) => {
  const folder = temporaryFolder(t);
  const registry = new Registry(folder);
  t.after(() => registry.close());
  const other = new Database(join(folder, 'registry.sqlite'));
  t.after(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  assert.throws(
    () => registry.add('cam', CAMERA, new Date()),
    (error) => error instanceof SightlineError && error.code === 'SL_UNAVAILABLE',
  );
});
