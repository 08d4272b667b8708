import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { SightlineError } from '../common/errors.ts';
import { PATHS } from '../common/paths.ts';

export interface CameraProcess extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** One for each stream, without credentials. */
  readonly urls: readonly string[];
  /** Settles when the process has ended, with its exit code or null after a signal. */
  readonly ended: Promise<number | null>;
}

export interface CameraProcessOptions {
  /** Command line of the built camera; no shell reads it. */
  readonly args: readonly string[];
  readonly password?: string | undefined;
  /** For errors: what was to be started. */
  readonly what: string;
  /** Lines of its standard output after the first. */
  readonly onLine?: (line: string) => void;
  /** Limit for reading the clip and listening, in ms; 5000. */
  readonly startLimitMs?: number;
}

const START_LIMIT_MS = 5_000;
const STOP_LIMIT_MS = 1_000;

/** Starts the built-in RTSP camera, which ends with this process; rejects with SL_UNAVAILABLE and its own words. */
export async function startCameraProcess(options: CameraProcessOptions): Promise<CameraProcess> {
  const child = spawn(PATHS.camera, [...options.args, '--exit-with-parent'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C must reach this process first, which then stops its camera.
    detached: true,
    env: {
      ...process.env,
      ...(options.password === undefined ? {} : { SIGHTLINE_CAMERA_PASSWORD: options.password }),
    },
  });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  // A child that cannot be spawned has no exit; `listening` tells why.
  ended.catch(() => undefined);
  const { port, urls } = await listening(child, options);
  return {
    pid: child.pid!,
    port,
    urls,
    ended,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

async function listening(
  child: ChildProcess,
  { what, onLine, startLimitMs = START_LIMIT_MS }: CameraProcessOptions,
): Promise<{ port: number; urls: readonly string[] }> {
  const errors: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors.push(text);
    if (errors.length > 20) errors.shift();
  });
  const failed = (why: string, cause?: unknown): SightlineError =>
    new SightlineError(
      'SL_UNAVAILABLE',
      `Cannot start ${what}: ${why} ${errors.join('').trim()}`.trim(),
      { cause },
    );
  const lines = createInterface({ input: child.stdout! });
  const abort = new AbortController();
  const limit = AbortSignal.any([abort.signal, AbortSignal.timeout(startLimitMs)]);
  try {
    const [line] = (await Promise.race([
      once(lines, 'line', { signal: limit }),
      once(child, 'error', { signal: limit }).then(([error]) => Promise.reject(failed('', error))),
      once(child, 'exit', { signal: limit }).then(([code]) =>
        Promise.reject(failed(`it ended with code ${String(code)}.`)),
      ),
    ])) as [string];
    lines.on('line', (later) => onLine?.(later));
    return JSON.parse(line) as { port: number; urls: string[] };
  } catch (error) {
    child.kill('SIGKILL');
    throw error instanceof SightlineError ? error : failed('it did not listen in time.', error);
  } finally {
    abort.abort();
  }
}
