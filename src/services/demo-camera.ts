import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { SightlineError } from '../common/errors.ts';
import { PATHS } from '../common/paths.ts';

export interface DemoCameraOptions {
  readonly clip: string;
  readonly port: number;
  /** RTSP path, with the leading slash. */
  readonly path: string;
}

const START_TIMEOUT_MS = 5_000;
const STOP_TIMEOUT_MS = 1_000;

/** Starts the built-in RTSP camera on loopback; rejects with SL_PORT_TAKEN or SL_UNAVAILABLE and its own words. */
export async function startDemoCamera(options: DemoCameraOptions): Promise<AsyncDisposable> {
  const child = spawn(
    PATHS.camera,
    [
      '--clip',
      options.clip,
      '--port',
      String(options.port),
      '--path',
      options.path,
      '--exit-with-parent',
    ],
    // A group of its own: Ctrl-C must reach the server first, which then stops its camera.
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  const errors: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors.push(text);
    if (errors.length > 20) errors.shift();
  });
  await listening(child, options, errors);
  return {
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

async function listening(
  child: ChildProcess,
  options: DemoCameraOptions,
  errors: readonly string[],
): Promise<void> {
  const failed = (what: string, cause?: unknown): SightlineError =>
    new SightlineError(
      'SL_UNAVAILABLE',
      `Cannot start the demo camera with ${options.clip} on port ${options.port}: ${what} ${errors.join('').trim()}`.trim(),
      { cause },
    );
  const lines = createInterface({ input: child.stdout! });
  const abort = new AbortController();
  const limit = AbortSignal.any([abort.signal, AbortSignal.timeout(START_TIMEOUT_MS)]);
  try {
    await Promise.race([
      once(lines, 'line', { signal: limit }),
      once(child, 'error', { signal: limit }).then(([error]) => Promise.reject(failed('', error))),
      once(child, 'exit', { signal: limit }).then(([code]) =>
        Promise.reject(failed(`it ended with code ${String(code)}.`)),
      ),
    ]);
  } catch (error) {
    child.kill('SIGKILL');
    throw error instanceof SightlineError ? error : failed('it did not listen in time.', error);
  } finally {
    abort.abort();
  }
}
