import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileConfig, freePort, INFER } from '../support/config.ts';
import { TestServer, temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';

const TRIED = ['connecting', 'backoff'];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: TestServer;
let source: object;
/** What the folder's file is a link to: a change of it is seen by nobody who watches the folder. */
let linked: string;

function yard(streams: readonly object[]): string {
  return JSON.stringify({ id: 'yard', infer: INFER, streams });
}

before(async () => {
  folder = await temporaryFolder();
  source = { type: 'rtsp', url: `rtsp://127.0.0.1:${await freePort()}/away` };
  const dir = join(folder.path, 'etc');
  await mkdir(join(dir, 'pipelines'), { recursive: true });
  const sinks = ['a', 'b'].map((id) => ({ id, type: 'file', dir: `${folder.path}/${id}` }));
  await writeFile(join(dir, 'sightline.yaml'), JSON.stringify(fileConfig(folder.path, { sinks })));
  linked = join(folder.path, 'yard.json');
  const streams = [
    { id: 'gate', source, sinks: ['a'] },
    { id: 'roof', source },
  ];
  await writeFile(linked, yard(streams));
  await symlink(linked, join(dir, 'pipelines', 'yard.json'));
  server = await TestServer.open(dir);
});

after(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** Streams of which the sink has the event `stream.backoff`. */
async function toldOf(sink: string): Promise<Set<unknown>> {
  const dir = join(folder.path, sink);
  const names = await readdir(dir, { recursive: true });
  const texts = await Promise.all(
    names
      .filter((name) => name.endsWith('.events.ndjson'))
      .map((name) => readFile(join(dir, name), 'utf8')),
  );
  const events = texts.flatMap((text) => text.split('\n').filter((line) => line.endsWith('}')));
  return new Set(
    events
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ type }) => type === 'stream.backoff')
      .map(({ streamId }) => streamId),
  );
}

test('the events of a stream go to its sinks, those of one without a word about them to all', async () => {
  await until('both are told to a', 30_000, async () => {
    const told = await toldOf('a');
    return told.has('gate') && told.has('roof');
  });
  const told = await until('the second is told to b', 20_000, async () => {
    const found = await toldOf('b');
    return found.has('roof') && found;
  });
  assert.ok(!told.has('gate'));
});

test('SIGHUP has the files of the folder read again, also where no change of the folder shows', async () => {
  await writeFile(
    linked,
    yard([
      { id: 'gate', source, sinks: ['a'] },
      { id: 'shed', source },
    ]),
  );
  server.signal('SIGHUP');
  await server.streamIn('shed', TRIED, 30_000);
  await until('the other one is gone', 20_000, async () => {
    return (await server.request('GET', '/v1/streams/roof')).status === 404;
  });
  assert.equal(server.exitCode, null);
});

test('a stream is switched off and on by a patch of it and by a put of its pipeline', async () => {
  const spec = (off: readonly string[]) => ({
    id: 'api',
    infer: INFER,
    streams: ['x', 'y'].map((id) => ({ id, source, enabled: !off.includes(id) })),
  });
  const put = async (off: readonly string[]) => {
    const reply = await server.request('PUT', '/v1/pipelines/api', spec(off));
    assert.ok(reply.ok, await reply.text());
  };
  const made = await server.request('POST', '/v1/pipelines', spec([]));
  assert.ok(made.ok, await made.text());
  for (const id of ['x', 'y']) await server.streamIn(id, TRIED, 30_000);
  const patched = await server.request('PATCH', '/v1/streams/x', { enabled: false });
  assert.ok(patched.ok, await patched.text());
  const off = await server.streamIn('x', ['disabled'], 20_000);
  assert.equal(off.status.reason?.code, 'SL_STREAM_DISABLED');
  await put(['y']);
  await server.streamIn('y', ['disabled'], 20_000);
  await server.streamIn('x', TRIED, 20_000);
  await put([]);
  await server.streamIn('y', TRIED, 20_000);
});
