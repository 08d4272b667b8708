import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PATHS } from '../../src/common/paths.ts';

export interface TestCamera extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** The built-in RTSP camera on a free (or the given) port; `args` are its own options, faults among them. */
export async function startCamera(
  options: { port?: number; args?: readonly string[]; password?: string } = {},
): Promise<TestCamera> {
  const { port = 0, args = [], password } = options;
  const child = spawn(
    PATHS.camera,
    ['--clip', PATHS.demoClip, '--port', String(port), '--exit-with-parent', ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        ...(password === undefined ? {} : { SIGHTLINE_CAMERA_PASSWORD: password }),
      },
    },
  );
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(10_000) }).catch(
    (error: unknown) => {
      child.kill('SIGKILL');
      throw error;
    },
  )) as [string];
  const listening = JSON.parse(line) as { url: string; port: number };
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    child.kill(signal);
    await exited;
  };
  return { ...listening, pid: child.pid!, kill, [Symbol.asyncDispose]: () => kill() };
}
