import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error('Cannot find the package root (package.json)');
    directory = parent;
  }
  return directory;
}

/** Folder of package.json, whether this code runs from src/ or from dist/. */
export const ROOT = findRoot();

/** Where the build puts things; every path is absolute. */
export const PATHS = {
  /** node-gyp's output (binding.gyp). */
  addon: join(ROOT, 'build', 'Release', 'sightline.node'),
  /** Folder of libgstsightline.so, for GST_PLUGIN_PATH. */
  pluginDir: join(ROOT, 'build-native', 'plugin'),
  /** The box parsers for nvinfer's custom-lib-path. */
  parsersLibrary: join(ROOT, 'build-native', 'lib', 'libsightline_parsers.so'),
  /** The built-in RTSP camera. */
  camera: join(ROOT, 'build-native', 'bin', 'sightline-camera'),
  /** Converted clips, stamps of set-up, the GStreamer registry. */
  cache: join(ROOT, '.cache'),
  /** The demo clip as H.264 in MP4 with a key frame each second. */
  demoClip: join(ROOT, '.cache', 'demo-clip.mp4'),
  models: join(ROOT, 'models'),
  web: join(ROOT, 'web'),
  /** What scripts/bundle.mjs makes for browsers. */
  webDist: join(ROOT, 'dist', 'web'),
  proto: join(ROOT, 'proto'),
} as const;

/** ONNX Runtime's shared library: `SIGHTLINE_ONNXRUNTIME`, else the one the npm package onnxruntime-node ships. */
export function onnxRuntimeLibrary(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env['SIGHTLINE_ONNXRUNTIME'];
  if (chosen !== undefined && chosen !== '') return chosen;
  const packageDir = dirname(
    createRequire(import.meta.url).resolve('onnxruntime-node/package.json'),
  );
  return join(packageDir, 'bin', 'napi-v6', process.platform, process.arch, 'libonnxruntime.so.1');
}
