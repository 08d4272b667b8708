/**
 * How long `sightline compile --backend deepstream` takes, from the start of the process to its end, beside a Node that
 * does nothing: every ready pipeline whose models set-up installs, and one of 16 cameras that asks for everything.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../src/common/paths.ts';

const RUNS = 9;
const ENV = {
  ...process.env,
  CAMERA_URL: 'rtsp://c.example/1',
  DOCK_1_URL: 'rtsp://d.example/1',
  DOCK_2_URL: 'rtsp://d.example/2',
  DOCK_2_PASSWORD: 'secret',
  GATE_URL: 'rtsp://g.example/1',
  ENTRANCE_URL: 'rtsps://e.example/1',
  VIDEO_FILE: 'clip.mp4',
};

function largest(): string {
  const streams = Array.from({ length: 16 }, (_, index) => {
    const url = `rtsp://camera-${index}.example/main`;
    return { id: `camera-${index}`, source: { type: 'rtsp', url } };
  });
  const zones = Array.from({ length: 16 }, (_, index) => ({
    id: `zone-${index}`,
    polygon: [
      [0.1, 0.1],
      [0.9, 0.1],
      [0.9, 0.9],
    ],
    classes: index % 2 === 0 ? ['person'] : ['car', 'truck'],
    streams: [`camera-${index}`],
  }));
  return JSON.stringify({
    id: 'largest',
    infer: { model: 'centernet-512x384', interval: 1 },
    track: { type: 'nvdcf', profile: 'accuracy' },
    analytics: { zones },
    images: { everyMs: 1000 },
    annotated: { type: 'rtsp', port: 8554 },
    streams,
  });
}

function medianMs(args: readonly string[]): number {
  const times = Array.from({ length: RUNS }, () => {
    const startedAt = performance.now();
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, env: ENV });
    if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr.toString()}`);
    return performance.now() - startedAt;
  });
  return times.sort((a, b) => a - b)[RUNS >> 1]!;
}

const folder = mkdtempSync(join(tmpdir(), 'sightline-compile-'));
try {
  const file = join(folder, 'largest.json');
  writeFileSync(file, largest());
  const bare = medianMs(['-e', '0']);
  console.log(
    `Node ${process.version} that does nothing: ${bare.toFixed(0)} ms (median of ${RUNS})`,
  );
  const ready = ['people-rtsp', 'multi-camera', 'zones', 'rtsps-camera', 'file-analysis'];
  for (const spec of [...ready.map((name) => `pipelines/${name}.yaml`), file]) {
    const name = spec === file ? '16 cameras, everything' : spec;
    const args = ['bin/sightline.js', 'compile', spec, '--backend', 'deepstream'];
    const ms = medianMs([...args, '--platform', 'dgpu']);
    console.log(`${name}: ${ms.toFixed(0)} ms, ${(ms / bare).toFixed(1)} times that`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
