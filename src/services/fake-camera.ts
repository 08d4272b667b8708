import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SightlineError } from '../common/errors.ts';
import { PATHS } from '../common/paths.ts';
import { startCameraProcess } from './camera-process.ts';

/** Options of `sightline fake-camera`. */
export interface FakeCameraOptions {
  /** How many streams, `/cam1` and on; 1. */
  readonly count?: number;
  /** H.264 or H.265 video that all streams loop; the demo clip. */
  readonly clip?: string;
  /** Frames a second; the clip's own. */
  readonly fps?: number;
  /** 8554; 0 is any free port. */
  readonly port?: number;
  /** IP address to listen on; 127.0.0.1. */
  readonly address?: string;
  readonly user?: string;
  /** Descriptor that the password is read from; else SIGHTLINE_CAMERA_PASSWORD. */
  readonly passwordFd?: number;
  /** NAME[=VALUE][@START[+LENGTH]][#STREAM[-STREAM]]; docs/fake-camera.md lists the names. */
  readonly fault?: readonly string[];
  /** Draw number and clock into the picture: one live encoder for all streams. */
  readonly overlay?: boolean;
  readonly json?: boolean;
}

export interface FakeCameraParts {
  readonly signal: AbortSignal;
  print(line: string): void;
  tell(line: string): void;
}

/** Reading a long clip, and making a smaller one of it, takes a while. */
const START_LIMIT_MS = 120_000;

/**
 * Runs the built-in camera until the signal aborts: prints the RTSP URLs, one a line (`json`: one object), and tells
 * of every viewer that has gone and what it was too slow to get. Rejects with SL_UNAVAILABLE when the camera cannot
 * start (its words say which option is wrong) or ends by itself, as its fault `die` wants.
 */
export async function fakeCamera(
  options: FakeCameraOptions,
  { signal, print, tell }: FakeCameraParts,
): Promise<void> {
  await using camera = await startCameraProcess({
    args: cameraArguments(options),
    password: readPassword(options.passwordFd),
    what: 'the fake camera',
    onLine: tell,
    startLimitMs: START_LIMIT_MS,
  });
  const { urls, port } = camera;
  if (options.json === true) print(JSON.stringify({ port, urls }));
  else for (const url of urls) print(url);
  const stopped = new Promise<'stopped'>((done) => {
    if (signal.aborted) done('stopped');
    signal.addEventListener('abort', () => done('stopped'), { once: true });
  });
  const end = await Promise.race([stopped, camera.ended]);
  if (end !== 'stopped') {
    throw new SightlineError(
      'SL_UNAVAILABLE',
      `The fake camera ended by itself, with code ${String(end)}. A fault "die" does that; start it again.`,
    );
  }
}

/** Every value is one argument of its own: `--name=value` cannot be taken for another option. */
export function cameraArguments(options: FakeCameraOptions): string[] {
  const { count = 1, clip = PATHS.demoClip, fps, port = 8554, address, user, fault = [] } = options;
  return [
    `--clip=${resolve(clip)}`,
    `--count=${count}`,
    `--port=${port}`,
    '--tell-viewers',
    ...(options.overlay === true ? ['--overlay'] : []),
    ...(fps === undefined ? [] : [`--fps=${fps}`]),
    ...(address === undefined ? [] : [`--address=${address}`]),
    ...(user === undefined ? [] : [`--user=${user}`]),
    ...fault.map((text) => `--fault=${text}`),
  ];
}

function readPassword(descriptor: number | undefined): string | undefined {
  if (descriptor === undefined) return undefined;
  return readFileSync(descriptor, 'utf8').replace(/[\r\n]+$/, '');
}
