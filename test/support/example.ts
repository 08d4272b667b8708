import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { missing } from './optional.ts';
import { until } from './wait.ts';

const PYTHON = join(ROOT, '.cache', 'python');
const GENERATED = join(PYTHON, 'generated');
const LIMIT_MS = 30_000;

interface Language {
  /** Why it cannot be tested here. */
  readonly skip: string | false;
  readonly command: (example: string) => readonly string[];
}

/** How the examples of each language are run. */
export const LANGUAGES: Readonly<Record<'TypeScript' | 'Python', Language>> = {
  TypeScript: {
    skip: missing('dist/consumer', [join(ROOT, 'dist', 'consumer', 'index.js')], []),
    command: (example) => [
      ...[process.execPath, '--import', 'tsx'],
      join(ROOT, 'examples', 'typescript', `${example}.ts`),
    ],
  },
  Python: {
    skip: missing('Python', [join(GENERATED, 'sightline')], ['servers', 'python']),
    command: (example) => [
      join(PYTHON, 'bin', 'python'),
      join(ROOT, 'examples', 'python', `read_${example}.py`),
    ],
  },
};

/** An example as a child process. */
export class ExampleRun {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  output = '';
  errors = '';

  constructor(context: TestContext, command: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const [file = '', ...args] = command;
    this.#child = spawn(file, args, {
      cwd: ROOT,
      env: { ...process.env, PYTHONPATH: GENERATED, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#closed = once(this.#child, 'close');
    this.#child.stdout?.on('data', (chunk) => {
      this.output += String(chunk);
    });
    this.#child.stderr?.on('data', (chunk) => {
      this.errors += String(chunk);
    });
    context.after(() => this.#child.kill('SIGKILL'));
  }

  /** Its lines, once it has ended by itself. */
  async lines(): Promise<string[]> {
    await until('the example ends', LIMIT_MS, () => this.#child.exitCode !== null);
    await this.#closed;
    assert.equal(this.#child.exitCode, 0, this.errors);
    return this.output.trimEnd().split('\n');
  }
}
