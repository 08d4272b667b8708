import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isAlive } from '../support/processes.ts';
import { until } from '../support/wait.ts';
import { ScriptCheckout } from './checkout.ts';

interface Task {
  run(command: string, args: readonly string[]): Promise<string>;
}
interface Step {
  name: string;
  title: string;
  needs: string[];
  inputs: () => { files?: string[]; facts?: unknown[] };
  outputs: string[];
  remedy: string;
  mayNotBeCut?: boolean;
  isOptional?: boolean;
  run: (task: Task) => Promise<unknown>;
}
interface RunSteps {
  runSteps(steps: Step[], progress: object): Promise<void>;
  isDone(step: Step): boolean;
}
interface Failure extends Error {
  remedy: string;
  tail: string[];
  log: string;
}

const quiet = { started() {}, finished() {}, said() {}, note() {}, skipped() {} };

function step(name: string, rest: Partial<Step> = {}): Step {
  return {
    ...{ name, title: `Make ${name}`, needs: [], inputs: () => ({ facts: [1] }), outputs: [] },
    ...{ remedy: `Mend ${name}`, run: async () => {} },
    ...rest,
  };
}

describe('runSteps', () => {
  it('runs each step after those it needs, once', async () => {
    using checkout = new ScriptCheckout();
    const { runSteps, isDone } = await checkout.load<RunSteps>('setup/run-steps.mjs');
    const order: string[] = [];
    const ran = (name: string) => async () => void order.push(name);
    const steps = [
      step('last', { needs: ['middle'], run: ran('last') }),
      step('middle', { needs: ['first'], run: ran('middle') }),
      step('first', { run: ran('first') }),
    ];
    await runSteps(steps, quiet);
    assert.deepEqual(order, ['first', 'middle', 'last']);
    assert.ok(steps.every(isDone));
    await runSteps(steps, quiet);
    assert.equal(order.length, 3);
  });

  it('leaves an optional step out when it fails, keeps the reason, and tries it again', async () => {
    using checkout = new ScriptCheckout();
    const { runSteps, isDone } = await checkout.load<RunSteps>('setup/run-steps.mjs');
    let isAway = true;
    const server = step('server', {
      isOptional: true,
      run: async ({ run }) => run('sh', ['-c', isAway ? 'exit 7' : 'exit 0']),
    });
    let told = '';
    const progress = { ...quiet, skipped: (_step: Step, why: string) => (told = why) };
    const after = step('after', { needs: ['server'] });
    await runSteps([server, after], progress);
    assert.ok(isDone(after));
    assert.ok(!isDone(server));
    assert.match(told, /exit status 7/);
    const reason = join(checkout.path, '.cache', 'skipped', 'server');
    assert.match(readFileSync(reason, 'utf8'), /exit status 7/);
    isAway = false;
    await runSteps([server, after], progress);
    assert.ok(isDone(server));
    assert.ok(!existsSync(reason));
  });

  it('runs a step again when an input changed or an output is gone', async () => {
    using checkout = new ScriptCheckout();
    const { runSteps, isDone } = await checkout.load<RunSteps>('setup/run-steps.mjs');
    const input = checkout.write('input.txt', 'one');
    const output = join(checkout.path, 'output.txt');
    let runs = 0;
    const copy = step('copy', {
      inputs: () => ({ files: [input] }),
      outputs: [output],
      run: async () => {
        runs += 1;
        checkout.write('output.txt', readFileSync(input, 'utf8'));
      },
    });
    await runSteps([copy], quiet);
    assert.ok(isDone(copy));
    checkout.write('input.txt', 'two');
    assert.ok(!isDone(copy));
    await runSteps([copy], quiet);
    assert.equal(readFileSync(output, 'utf8'), 'two');
    (await import('node:fs')).rmSync(output);
    assert.ok(!isDone(copy));
    await runSteps([copy], quiet);
    assert.equal(runs, 3);
  });

  it('says which step failed, why, where the log is and what to do', async () => {
    using checkout = new ScriptCheckout();
    const { runSteps, isDone } = await checkout.load<RunSteps>('setup/run-steps.mjs');
    const broken = step('broken', {
      run: (task) => task.run('sh', ['-c', 'echo working; echo "no such header" >&2; exit 3']),
    });
    const next = step('next', { needs: ['broken'], run: async () => assert.fail('It ran') });
    const failure = await runSteps([broken, next], quiet).then(
      () => assert.fail('It did not fail'),
      (error: Failure) => error,
    );
    assert.equal(failure.message, 'Step "broken" (Make broken) failed: sh -c: exit status 3');
    assert.equal(failure.remedy, 'Mend broken');
    assert.deepEqual([...failure.tail].sort(), ['no such header', 'working']);
    assert.match(readFileSync(failure.log, 'utf8'), /no such header/);
    assert.equal(failure.log, join(checkout.path, '.cache', 'logs', 'broken.log'));
    assert.ok(!isDone(broken));
  });

  it('ends what else is running when a step fails, with all that it started', async () => {
    using checkout = new ScriptCheckout();
    const { runSteps } = await checkout.load<RunSteps>('setup/run-steps.mjs');
    const pidFile = join(checkout.path, 'pid');
    const long = step('long', {
      run: (task) => task.run('sh', ['-c', `sleep 60 & echo $! > ${pidFile}; wait`]),
    });
    const broken = step('broken', {
      run: async (task) => {
        await until('the other step runs', 5000, () => existsSync(pidFile));
        await task.run('false', []);
      },
    });
    await assert.rejects(runSteps([long, broken], quiet), /Step "broken"/);
    const grandchild = Number(readFileSync(pidFile, 'utf8'));
    await until('what it started has ended', 2000, () => !isAlive(grandchild));
  });

  it('waits for a step that may not be cut', async () => {
    using checkout = new ScriptCheckout();
    const { runSteps } = await checkout.load<RunSteps>('setup/run-steps.mjs');
    const started = join(checkout.path, 'started');
    const finished = join(checkout.path, 'finished');
    const packages = step('packages', {
      mayNotBeCut: true,
      run: (task) => task.run('sh', ['-c', `touch ${started}; sleep 0.5; touch ${finished}`]),
    });
    const broken = step('broken', {
      run: async (task) => {
        await until('the other step runs', 5000, () => existsSync(started));
        await task.run('false', []);
      },
    });
    await assert.rejects(runSteps([packages, broken], quiet), /Step "broken"/);
    assert.ok(existsSync(finished));
  });
});
