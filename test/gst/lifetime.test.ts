import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { PATHS, ROOT } from '../../src/common/paths.ts';
import { GstPipeline } from '../../src/gst/pipeline.ts';
import { moduleUrl, scriptArgs } from '../support/programs.ts';
import { pictures } from './graphs.ts';

const OPEN_PIPELINE = `
  import { GstPipeline } from '${moduleUrl('src/gst/pipeline.ts')}';
  import { pictures } from '${moduleUrl('test/gst/graphs.ts')}';
  const records = { to: 'js', onRecords: () => undefined };
  const pipeline = await GstPipeline.create(pictures('p', { 'is-live': true }), { records });
  await pipeline.setState('playing', { wait: true });
`;

/** Runs TypeScript in a process of its own. */
function run(script: string): { status: number | null; signal: string | null; stderr: string } {
  const { status, signal, stderr } = spawnSync(process.execPath, scriptArgs(script), {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { status, signal, stderr };
}

/** Pipelines' threads; GLib's pool keeps some of its own for a while. */
function loopThreads(): number {
  const names = readdirSync('/proc/self/task').map((id) => {
    try {
      return readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim();
    } catch {
      return ''; // it ended while we looked
    }
  });
  return names.filter((name) => name === 'sl-loop').length;
}

function measure(): { fds: number; threads: number; rss: number } {
  return {
    fds: readdirSync('/proc/self/fd').length,
    threads: loopThreads(),
    rss: process.memoryUsage.rss(),
  };
}

async function cycle(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const pipeline = await GstPipeline.create(pictures('p', { 'is-live': true }), {
      records: { to: 'js', onRecords: () => undefined },
    });
    await pipeline.setState('playing');
    await pipeline.close();
  }
}

test('200 pipelines made, started and closed leave no descriptor, thread or memory behind', async () => {
  await cycle(50);
  const before = measure();
  await cycle(200);
  const after = measure();
  assert.ok(after.fds <= before.fds, `descriptors: ${before.fds} to ${after.fds}`);
  assert.equal(after.threads, 0);
  const grownKiB = (after.rss - before.rss) / 1024;
  assert.ok(grownKiB < 200 * 30, `memory grew by ${grownKiB} KiB`);
});

test('pipelines that failed to build leave nothing behind', async () => {
  const broken = pictures('p', { pattern: 'none such' });
  const fail = () => assert.rejects(GstPipeline.create(broken), { code: 'SL_SPEC_INVALID' });
  await fail();
  const before = measure();
  for (let i = 0; i < 50; i++) await fail();
  const after = measure();
  assert.ok(after.fds <= before.fds, `descriptors: ${before.fds} to ${after.fds}`);
  assert.equal(after.threads, 0);
});

test('a process that leaves without close() ends at once and cleanly', () => {
  assert.deepEqual(run(`${OPEN_PIPELINE} process.exit(7);`), {
    status: 7,
    signal: null,
    stderr: '',
  });
});

test('a process that dies of an error with a pipeline open ends with that error', () => {
  const { status, signal, stderr } = run(`${OPEN_PIPELINE} throw new Error('deliberate');`);
  assert.deepEqual({ status, signal }, { status: 1, signal: null });
  assert.match(stderr, /Error: deliberate/);
});

test('a closed pipeline does not keep the process alive', () => {
  const script = `${OPEN_PIPELINE} await pipeline.close();`;
  assert.deepEqual(run(script), { status: 0, signal: null, stderr: '' });
});

test('a thread of JavaScript that ends with a pipeline open takes it along', async () => {
  const thread = new Worker(
    `const { workerData } = require('node:worker_threads');
     const { Pipeline } = require(workerData.addon);
     const pipeline = new Pipeline(workerData.graph, { watch: ['source'], count: [] }, (events) => {
       if (events.some((text) => JSON.parse(text).type === 'first-buffer')) process.exit(3);
     });
     pipeline.build(1);
     pipeline.setState(2, 'playing', false);`,
    {
      eval: true,
      execArgv: [],
      workerData: { addon: PATHS.addon, graph: pictures('p', { 'is-live': true }) },
    },
  );
  assert.deepEqual(await once(thread, 'exit'), [3]);
  assert.equal(loopThreads(), 0);
});

test('what a listener throws is an uncaught exception, and the events behind it still arrive', () => {
  const script = `
    import { GstPipeline } from '${moduleUrl('src/gst/pipeline.ts')}';
    import { pictures } from '${moduleUrl('test/gst/graphs.ts')}';
    const caught = [];
    process.on('uncaughtException', (error) => caught.push(error.message));
    let ended = false;
    const pipeline = await GstPipeline.create(pictures('p', { 'num-buffers': 1 }), {
      onEvent: ({ type }) => {
        if (type === 'eos') ended = true;
        if (type === 'state') throw new Error('from the listener');
      },
    });
    await pipeline.setState('playing', { wait: true });
    const deadline = performance.now() + 5000;
    while (!ended && performance.now() < deadline) await new Promise(setImmediate);
    await pipeline.close();
    process.exit(ended && caught.length === 3 && caught[0] === 'from the listener' ? 0 : 9);
  `;
  assert.deepEqual(run(script), { status: 0, signal: null, stderr: '' });
});

test('GStreamer starts although a plugin folder is missing', () => {
  const { status, signal, stderr } = run(`
    process.env['GST_PLUGIN_PATH'] = '/nonexistent/plugins';
    process.env['GST_REGISTRY'] = '/nonexistent/registry.bin';
    const { loadAddon } = await import('${moduleUrl('src/gst/load-addon.ts')}');
    process.exit(/^1\\.\\d+\\.\\d+$/.test(loadAddon().version()) ? 0 : 9);
  `);
  assert.deepEqual({ status, signal }, { status: 0, signal: null }, stderr);
});
