import { startCameraProcess } from './camera-process.ts';

export interface DemoCameraOptions {
  readonly clip: string;
  readonly port: number;
  /** RTSP path, with the leading slash. */
  readonly path: string;
}

/** Starts the built-in RTSP camera on loopback; rejects with SL_UNAVAILABLE and its own words. */
export function startDemoCamera({ clip, port, path }: DemoCameraOptions): Promise<AsyncDisposable> {
  return startCameraProcess({
    args: ['--clip', clip, '--port', String(port), '--path', path],
    what: `the demo camera with ${clip} on port ${port}`,
  });
}
