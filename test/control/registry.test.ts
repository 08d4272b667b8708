import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SightlineError } from '../../src/common/errors.ts';
import { Database } from '../../src/common/sqlite.ts';
import { type KeptPipeline, Registry } from '../../src/control/registry.ts';
import { temporaryFolder } from './support.ts';

const CAMERA = { id: 'cam', source: { url: 'rtsp://admin:hunter22@h/1' } };

function kept(spec: { id: string }, at = 1_000): KeptPipeline {
  const times = { createdAt: new Date(at), updatedAt: new Date(at) };
  return { id: spec.id, kind: 'stream', spec, labels: {}, generation: 1, ...times };
}

test('what is put is there after reopening, secrets included; what is removed is not', (t) => {
  const folder = temporaryFolder(t);
  const first = new Registry(folder);
  first.putPipeline(kept(CAMERA));
  first.putPipeline(kept({ id: 'gone' }, 2_000));
  assert.equal(first.removePipeline('gone'), true);
  assert.equal(first.removePipeline('gone'), false);
  first.putCamera({ ...kept({ id: 'door' }), spec: { heartbeatIntervalMs: 5_000 } });
  const changed = { ...kept(CAMERA, 9_000), labels: { site: 'a' }, generation: 2 };
  first.putPipeline(changed);
  first.close();
  const registry = new Registry(folder);
  t.after(() => registry.close());
  // When it was made stays.
  assert.deepEqual(registry.pipelines(), [{ ...changed, createdAt: new Date(1_000) }]);
  assert.deepEqual(
    registry.cameras().map(({ id, spec, generation }) => [id, spec, generation]),
    [['door', { heartbeatIntervalMs: 5_000 }, 1]],
  );
});

test('only the owner can read its files, whatever they were before', (t) => {
  const folder = join(temporaryFolder(t), 'data');
  new Registry(folder).close();
  chmodSync(join(folder, 'registry.sqlite'), 0o644);
  const registry = new Registry(folder);
  t.after(() => registry.close());
  registry.putPipeline(kept(CAMERA));
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const file of readdirSync(folder)) {
    assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file);
  }
});

test('a secret that was removed or changed is not left in the file', (t) => {
  const folder = temporaryFolder(t);
  const registry = new Registry(folder);
  registry.putPipeline(kept(CAMERA));
  registry.putPipeline(kept({ ...CAMERA, source: { url: 'rtsp://admin:other@h/1' } } as never));
  registry.putPipeline(kept({ ...CAMERA, id: 'second' }));
  registry.removePipeline('second');
  registry.close();
  for (const file of readdirSync(folder)) {
    assert.ok(!readFileSync(join(folder, file)).includes('hunter22'), file);
  }
});

function facts() {
  const at = new Date('2026-01-02T03:04:05.678Z');
  return { labels: {}, generation: 1, createdAt: at, updatedAt: at };
}

/** A file as the versions before this one wrote it. */
function formerRegistry(folder: string, format: 0 | 2): void {
  new Registry(folder).close();
  const db = new Database(join(folder, 'registry.sqlite'));
  db.exec(`
    DROP TABLE pipelines;
    DROP TABLE cameras;
    DROP TABLE sinks;
    DROP TABLE paused_sinks;
    CREATE TABLE streams (
      id TEXT PRIMARY KEY,
      spec TEXT NOT NULL,
      secrets TEXT NOT NULL,
      created_at TEXT NOT NULL
      ${format === 2 ? `, labels TEXT NOT NULL DEFAULT '{}'` : ''}
    ) STRICT;
    PRAGMA user_version = ${format};
  `);
  const row = [
    'cam',
    '{"id":"cam","source":{"url":"rtsp://***@h/1"}}',
    '{"/source/url":"rtsp://admin:hunter22@h/1"}',
    '2026-01-02T03:04:05.678Z',
  ];
  if (format === 2) row.push('{"site":"a"}');
  db.prepare(`INSERT INTO streams VALUES (${row.map(() => '?').join(', ')})`).run(...row);
  db.close();
}

for (const [format, labels] of [
  [0, {}],
  [2, { site: 'a' }],
] as const) {
  test(`streams of a registry of format ${format} are pipelines of their own now`, (t) => {
    const folder = temporaryFolder(t);
    formerRegistry(folder, format);
    for (const _ of [1, 2]) {
      const registry = new Registry(folder);
      const at = new Date('2026-01-02T03:04:05.678Z');
      assert.deepEqual(registry.pipelines(), [
        {
          ...{ id: 'cam', kind: 'stream', spec: CAMERA, labels },
          ...{ generation: 1, createdAt: at, updatedAt: at },
        },
      ]);
      assert.deepEqual(registry.cameras(), []);
      registry.close();
    }
  });
}

test('a registry of format 3 keeps what it has, and can keep sinks', (t) => {
  const folder = temporaryFolder(t);
  const former = new Registry(folder);
  former.putCamera({ id: 'cam', spec: {}, ...facts() });
  former.close();
  const db = new Database(join(folder, 'registry.sqlite'));
  db.exec('DROP TABLE sinks; DROP TABLE paused_sinks; PRAGMA user_version = 3;');
  db.close();
  const registry = new Registry(folder);
  assert.equal(registry.cameras().length, 1);
  const spec = { id: 'out', type: 'mqtt', url: 'mqtt://joe:hunter22@h', password: 'hunter22' };
  registry.putSink({ id: 'out', spec, ...facts() });
  registry.setSinkPaused('out', true);
  registry.setSinkPaused('out', true);
  assert.deepEqual(registry.sinks()[0]?.spec, spec);
  assert.deepEqual([...registry.pausedSinks()], ['out']);
  registry.setSinkPaused('out', false);
  assert.equal(registry.removeSink('out'), true);
  assert.equal(registry.removeSink('out'), false);
  assert.equal(registry.pausedSinks().size, 0);
  registry.close();
});

test('a registry of a newer version is refused and left alone', (t) => {
  const folder = temporaryFolder(t);
  new Registry(folder).close();
  const db = new Database(join(folder, 'registry.sqlite'));
  db.pragma('user_version = 99');
  db.close();
  assert.throws(() => new Registry(folder), /newer Sightline \(format 99, this one reads 4\)/);
});

test('a registry that cannot be written says so with SL_UNAVAILABLE', (t) => {
  const folder = temporaryFolder(t);
  const registry = new Registry(folder);
  t.after(() => registry.close());
  const other = new Database(join(folder, 'registry.sqlite'));
  t.after(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  assert.throws(
    () => registry.putPipeline(kept(CAMERA)),
    (error) => error instanceof SightlineError && error.code === 'SL_UNAVAILABLE',
  );
});
