// Where set-up works. Plain JavaScript with Node's own modules only: it runs before anything is installed.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const CACHE = join(ROOT, '.cache');
export const LOGS = join(CACHE, 'logs');
export const DEMO_CLIP = join(CACHE, 'demo-clip.mp4');
export const BUILD_NATIVE = join(ROOT, 'build-native');
export const KAFKA = join(CACHE, 'kafka');
/** The package typebox in one file (scripts/bundle.mjs). */
export const TYPEBOX = join(ROOT, 'dist', 'vendor', 'typebox.js');
/** The Python environment of the tests. */
export const PYTHON = join(CACHE, 'python');
/** Why optional steps were left out, a file a step: the tests that need them say so. */
export const SKIPPED = join(CACHE, 'skipped');

/** A tool of node_modules, called by its JavaScript file so that no PATH and no shebang is involved. */
export function tool(...parts) {
  return join(ROOT, 'node_modules', ...parts);
}
