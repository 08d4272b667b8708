import { execFile } from 'node:child_process';
import { access, constants, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The machine that is looked at. The defaults are this one; tests give a folder that looks like another. */
export interface HostOptions {
  /** Folder that stands for `/`. Default `/`. */
  readonly root?: string;
  /** Default: that of the process. Programs are found through its PATH. */
  readonly env?: NodeJS.ProcessEnv;
  /** Node's name of the processor, `x64` or `arm64`. Default: this one. */
  readonly arch?: string;
  /** Longest wait for one program, in ms. Default 10 000. */
  readonly commandLimitMs?: number;
}

/** How a program ended: `absent` it is not there, `hung` it did not end within the limit. */
export type CommandResult =
  | { readonly kind: 'done'; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'failed'; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'hung'; readonly limitMs: number };

const COMMAND_LIMIT_MS = 10_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** Reads files and runs programs of a machine. What is not there is `undefined` or empty, never an exception. */
export class Host {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly arch: string;
  readonly #limitMs: number;

  constructor(options: HostOptions = {}) {
    this.root = options.root ?? '/';
    this.env = options.env ?? process.env;
    this.arch = options.arch ?? process.arch;
    this.#limitMs = options.commandLimitMs ?? COMMAND_LIMIT_MS;
  }

  /** The triplet that Debian and Ubuntu name library folders with. */
  get triplet(): string {
    return this.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  }

  /** Where an absolute path of that machine lies on this one. */
  path(path: string): string {
    return join(this.root, path);
  }

  /** A text file without the NUL that device tree files end with; undefined when it cannot be read. */
  async readText(path: string): Promise<string | undefined> {
    return readFile(this.path(path), 'utf8').then(
      (text) => text.replaceAll('\0', '').trim(),
      () => undefined,
    );
  }

  async exists(path: string): Promise<boolean> {
    return this.#may(path, constants.F_OK);
  }

  /** Whether this process may read and write it (a device). */
  async isUsable(path: string): Promise<boolean> {
    return this.#may(path, constants.R_OK | constants.W_OK);
  }

  async #may(path: string, mode: number): Promise<boolean> {
    return access(this.path(path), mode).then(
      () => true,
      () => false,
    );
  }

  /** Names in a folder, sorted; empty when there is none. */
  async list(folder: string): Promise<readonly string[]> {
    return readdir(this.path(folder)).then(
      (names) => names.sort(),
      () => [],
    );
  }

  /**
   * Runs a program for at most `limitMs`, with the variables of `env` over those of this machine. A program that cannot be killed (nvidia-smi on a GPU that fell off the bus
   * waits in the kernel) is left to itself: its end is not awaited.
   */
  run(
    command: string,
    args: readonly string[],
    { limitMs = this.#limitMs, env = {} }: { limitMs?: number; env?: NodeJS.ProcessEnv } = {},
  ): Promise<CommandResult> {
    return new Promise((resolve) => {
      const options = { env: { ...this.env, ...env, LC_ALL: 'C' }, maxBuffer: MAX_OUTPUT_BYTES };
      const child = execFile(command, [...args], options, (error, stdout, stderr) => {
        clearTimeout(timer);
        if (error === null) resolve({ kind: 'done', stdout, stderr });
        else if (error.code === 'ENOENT') resolve({ kind: 'absent' });
        else resolve({ kind: 'failed', stdout, stderr: stderr.trim() || error.message });
      });
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        child.stdout?.destroy();
        child.stderr?.destroy();
        child.unref();
        resolve({ kind: 'hung', limitMs });
      }, limitMs);
    });
  }
}
