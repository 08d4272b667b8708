import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../src/common/paths.ts';

/** A folder with only scripts/ of this checkout, where set-up can be tried without touching the real one. */
export class ScriptCheckout implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'sightline-setup-'));

  constructor() {
    cpSync(join(ROOT, 'scripts'), join(this.path, 'scripts'), { recursive: true });
  }

  write(file: string, text: string): string {
    const path = join(this.path, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** Puts a program of this name before all others, and returns the PATH that has it. */
  program(name: string, shellText: string): string {
    const file = this.write(join('programs', name), `#!/bin/sh\n${shellText}\n`);
    chmodSync(file, 0o755);
    return `${dirname(file)}:${process.env['PATH']}`;
  }

  /** Imports one of its modules (a copy, so its ROOT is this folder). */
  async load<T>(module: string): Promise<T> {
    return (await import(pathToFileURL(join(this.path, 'scripts', module)).href)) as T;
  }

  run(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(this.path, 'scripts', script), ...args],
      { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 30_000 },
    );
    return { status, stdout, stderr };
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
