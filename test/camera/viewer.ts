import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Viewing {
  /** Time stamps in ms of the frames that came, in order. */
  readonly ptsMs: readonly number[];
  /** What gst-launch said was wrong. */
  readonly error: string | undefined;
  readonly ended: boolean;
}

export interface ViewerOptions {
  readonly transport?: 'tcp' | 'udp';
  readonly user?: string;
  readonly password?: string;
  /** Stops after this many frames. */
  readonly frames: number;
  /** Gives up after this long. */
  readonly withinMs: number;
}

/** Watches a camera with a stock GStreamer client, in a process of its own. */
export async function watch(url: string, options: ViewerOptions): Promise<Viewing> {
  const { transport = 'tcp', user, password, frames, withinMs } = options;
  const login =
    user === undefined ? [] : [`user-id=${user}`, ...(password ? [`user-pw=${password}`] : [])];
  const child = spawn(
    'gst-launch-1.0',
    [
      // buffer-mode=none: time stamps as the camera sent them, whatever the load of this machine.
      ...[
        '-v',
        'rtspsrc',
        `location=${url}`,
        `protocols=${transport}`,
        'buffer-mode=none',
        ...login,
      ],
      ...['!', 'rtph264depay', '!', 'h264parse', '!', 'avdec_h264'],
      // One frame more is asked for than counted: the element that ends the stream swallows the last one.
      ...[
        '!',
        'identity',
        'name=frame',
        'silent=false',
        `eos-after=${frames + 1}`,
        '!',
        'fakesink',
      ],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const limit = setTimeout(() => child.kill('SIGKILL'), withinMs);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(limit);
  const stamps = [...text.matchAll(/frame: last-message = chain.*?pts: (\d+):(\d+):([\d.]+),/g)];
  return {
    ptsMs: stamps.map(([, h, m, s]) => (Number(h) * 3600 + Number(m) * 60 + Number(s)) * 1000),
    // GStreamer 1.20 complains of the password first, before it tells of a 404.
    error: [...text.matchAll(/^ERROR: from element .*?: (.*)$/gm)].at(-1)?.[1],
    ended: code === 0,
  };
}

/** Gaps between neighbours, in ms. */
export function gaps(ptsMs: readonly number[]): number[] {
  return ptsMs.slice(1).map((pts, index) => pts - ptsMs[index]!);
}
