import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PATHS, ROOT } from '../../src/common/paths.ts';
import { ScriptCheckout } from './checkout.ts';

describe('set-up', () => {
  it('refuses a Node that is too old and accepts newer ones', async () => {
    using checkout = new ScriptCheckout();
    const { checkNode } = await checkout.load<{ checkNode(version: string): void }>(
      'setup/node-headers.mjs',
    );
    assert.throws(() => checkNode('18.20.1'), /Node 18\.20\.1 is too old: 20\.19\.0/);
    assert.throws(() => checkNode('20.18.9'), /too old/);
    for (const version of ['20.19.0', '20.20.2', '22.0.0', '24.1.0']) checkNode(version);
  });

  it('builds against the headers beside node, where they are', async () => {
    using checkout = new ScriptCheckout();
    const { nodeDir } = await checkout.load<{ nodeDir(execPath: string): string | undefined }>(
      'setup/node-headers.mjs',
    );
    assert.equal(nodeDir(join(checkout.path, 'bin', 'node')), undefined);
    checkout.write('include/node/node.h', '');
    assert.equal(nodeDir(join(checkout.path, 'bin', 'node')), checkout.path);
  });

  it('knows every step that another one needs', async () => {
    using checkout = new ScriptCheckout();
    const { stepsFor } = await checkout.load<{
      stepsFor(purpose: string): { name: string; needs: string[] }[];
    }>('setup/steps.mjs');
    for (const purpose of ['run', 'test']) {
      const steps = stepsFor(purpose);
      const known = new Set(steps.map(({ name }) => name));
      for (const { needs } of steps) for (const need of needs) assert.ok(known.has(need), need);
    }
  });

  it('runs some of the steps, with those they need', async () => {
    using checkout = new ScriptCheckout();
    type Step = { name: string; needs: string[] };
    const { chooseSteps, stepsFor } = await checkout.load<{
      stepsFor(purpose: string): Step[];
      chooseSteps(steps: Step[], names?: string[]): Step[];
    }>('setup/steps.mjs');
    const steps = stepsFor('run');
    const choose = (...names: string[]) => chooseSteps(steps, names).map(({ name }) => name);
    assert.deepEqual(choose('npm'), ['npm']);
    assert.deepEqual(choose('addon').sort(), ['addon', 'npm', 'packages-run', 'toolchain']);
    assert.equal(chooseSteps(steps), steps);
    assert.throws(() => choose('npm', 'addons'), /There is no set-up step "addons"/);
  });

  it('waits for another set-up of the same checkout and takes over a dead one’s lock', async () => {
    using checkout = new ScriptCheckout();
    const { lockSetup } = await checkout.load<{
      lockSetup(say: (line: string) => void): Promise<() => void>;
    }>('setup/lock.mjs');
    checkout.write('.cache/setup.lock', '999999999');
    const said: string[] = [];
    const release = await lockSetup((line) => said.push(line));
    assert.equal(said.length, 0);
    const second = lockSetup((line) => said.push(line));
    assert.match(said[0] ?? '', /Another set-up of this checkout is running \(process \d+\)/);
    release();
    (await second)();
  });
});

describe('the demo clip', () => {
  interface Clip {
    makeClip(chosen: string, task: object): Promise<void>;
    clipFacts(chosen: string | undefined): unknown[];
  }
  interface Command {
    runLogged(command: string, args: string[], options: object): Promise<string>;
  }

  async function prepare(checkout: ScriptCheckout) {
    mkdirSync(join(checkout.path, '.cache', 'logs'), { recursive: true });
    const { runLogged } = await checkout.load<Command>('setup/command.mjs');
    const log = join(checkout.path, '.cache', 'logs', 'clip.log');
    const task = {
      run: (command: string, args: string[]) => runLogged(command, args, { log }),
    };
    return { task, clip: await checkout.load<Clip>('setup/clip.mjs') };
  }

  it('is made of a video of the user, with a key frame each second', async () => {
    using checkout = new ScriptCheckout();
    const { task, clip } = await prepare(checkout);
    const chosen = join(checkout.path, 'mine.avi');
    await task.run('gst-launch-1.0', [
      ...['-q', 'videotestsrc', 'num-buffers=24', '!'],
      ...['video/x-raw,width=160,height=120,framerate=8/1', '!', 'jpegenc', '!', 'avimux'],
      ...['!', 'filesink', `location=${chosen}`],
    ]);
    await clip.makeClip(chosen, task);
    const report = await task.run('gst-launch-1.0', [
      ...['-v', 'filesrc', `location=${join(checkout.path, '.cache', 'demo-clip.mp4')}`],
      ...['!', 'qtdemux', '!', 'identity', 'name=unit', 'silent=false', '!', 'fakesink'],
    ]);
    const units = report.split('\n').filter((line) => line.includes('unit: last-message = chain'));
    assert.equal(units.length, 24);
    const keyFrames = units.flatMap((line, index) => (line.includes('delta-unit') ? [] : [index]));
    assert.deepEqual(keyFrames, [0, 8, 16]);
  });

  it('is refused when the chosen file is no video', async () => {
    using checkout = new ScriptCheckout();
    const { task, clip } = await prepare(checkout);
    const chosen = checkout.write('mine.mp4', 'text\n'.repeat(500));
    await assert.rejects(clip.makeClip(chosen, task), (error: Error & { remedy: string }) => {
      assert.equal(error.message, `${chosen} is not a video that GStreamer can read`);
      assert.match(error.remedy, /SIGHTLINE_DEMO_CLIP/);
      return true;
    });
  });

  it('is made anew when another file is chosen or the file changes', async () => {
    using checkout = new ScriptCheckout();
    const { clip } = await prepare(checkout);
    const chosen = checkout.write('mine.mp4', 'one');
    const facts = [undefined, chosen, join(checkout.path, 'absent.mp4')].map((file) =>
      JSON.stringify(clip.clipFacts(file)),
    );
    checkout.write('mine.mp4', 'longer');
    facts.push(JSON.stringify(clip.clipFacts(chosen)));
    assert.equal(new Set(facts).size, 4);
  });
});

describe('bin/sightline.js', () => {
  it('says how to build when it is not built', () => {
    using checkout = new ScriptCheckout();
    checkout.write('scripts/bin.js', readFileSync(join(ROOT, 'bin', 'sightline.js'), 'utf8'));
    checkout.write('package.json', '{"type":"module"}');
    const { status, stderr } = checkout.run('bin.js');
    assert.equal(status, 1);
    assert.match(stderr, /not built yet.*npm run setup/);
  });
});

describe('this checkout', () => {
  it('keeps what set-up makes where the code looks for it', async () => {
    using checkout = new ScriptCheckout();
    symlinkSync(join(ROOT, 'package-lock.json'), join(checkout.path, 'package-lock.json'));
    const { stepsFor } = await checkout.load<{
      stepsFor(purpose: string): { outputs: string[] }[];
    }>('setup/steps.mjs');
    const outputs = stepsFor('run').flatMap((step) => step.outputs);
    for (const path of [PATHS.addon, PATHS.camera, PATHS.demoClip]) {
      assert.ok(outputs.includes(path.replace(ROOT, checkout.path)), path);
    }
  });
});
