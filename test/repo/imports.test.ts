import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import test from 'node:test';
import { ROOT } from '../../src/common/paths.ts';

/**
 * Who may import whom. An entry is a folder of src (`common`) or a file (`worker/protocol.ts`); a folder may always
 * import itself. Files of src itself are listed by name.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  common: [],
  gen: [],
  metadata: ['common', 'gen', 'worker/protocol.ts'],
  sources: ['common'],
  sinks: ['common', 'metadata', 'gen'],
  outbox: ['common', 'metadata'],
  models: ['common'],
  // Leases and assignment: knows no streams, only their names and costs.
  fleet: ['common'],
  recording: ['common', 'metadata', 'gen', 'sinks/aws', 'sinks/file'],
  pipeline: ['common', 'sources'],
  gst: ['common', 'pipeline/graph.ts', 'pipeline/graph-changes.ts', 'pipeline/graph-check.ts'],
  worker: [
    'common',
    'gst',
    'pipeline/graph.ts',
    'pipeline/graph-changes.ts',
    'pipeline/graph-check.ts',
    'pipeline/live-properties.ts',
  ],
  // Pure but for the clocks it is given.
  rules: ['common', 'metadata'],
  // Adapters of small interfaces: what they keep is JSON to them.
  stores: ['common'],
  // SQL over what was delivered. The layout of the files is docs/sinks/file.md.
  query: ['common'],
  control: ['common', 'pipeline', 'metadata', 'sources', 'worker/protocol.ts'],
  // From messages of a queue to results: runs workers of its own.
  inference: [
    'common',
    'metadata',
    'gen',
    'consumer',
    'sinks/aws',
    'sinks/amqp',
    'control',
    'pipeline/graph.ts',
    'worker/protocol.ts',
  ],
  api: [
    'common',
    'control/types.ts',
    'query/request.ts',
    'pipeline',
    'metadata',
    'sources',
    'sinks/specs.ts',
    'outbox/stats.ts',
    'outbox/delivery-meters.ts',
    'outbox/histogram.ts',
    'recording/service.ts',
    'recording/catalogue.ts',
    'recording/clips.ts',
  ],
  // Types alone: see the test below.
  client: ['api/schemas.ts', 'pipeline/spec.ts', 'metadata/frame-json.ts'],
  // For other programs: nothing of the server.
  consumer: [
    'common/errors.ts',
    'common/epoch-fence.ts',
    'metadata',
    'gen',
    'sinks/format/length-delimited.ts',
  ],
  services: [
    'common',
    'metadata',
    'sources',
    'sinks',
    'consumer',
    'outbox',
    'models',
    'pipeline',
    'recording',
    'control',
    'inference',
    'fleet',
    'rules',
    'stores',
    'query',
    'api',
    'worker/protocol.ts',
  ],
  'ground-truth': ['common'],
  'cli.ts': ['common', 'services', 'models', 'pipeline', 'ground-truth'],
};

/** What each native folder may include of ours. `tests` may include everything. */
const NATIVE_ALLOWED: Readonly<Record<string, readonly string[]>> = {
  common: [],
  core: [],
  plugin: ['common', 'core'],
  deepstream: ['common', 'core', 'plugin'],
  addon: ['common'],
  camera: ['common'],
};

const IMPORT = /(?:\bfrom\s+|\bimport\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\1/g;
const INCLUDE = /^\s*#\s*include\s+(["<])([^">]+)[">]/gm;

function filesUnder(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name));
}

function isAllowed(target: string, allowed: readonly string[]): boolean {
  return allowed.some((entry) => target === entry || target.startsWith(`${entry}/`));
}

/** First folder of a path, or the path itself where it has none. */
function top(path: string): string {
  return path.split('/')[0] ?? path;
}

test('every folder of src has a rule, and every rule has a folder or file', () => {
  const entries = readdirSync(join(ROOT, 'src')).filter((name) => name !== 'gen');
  const rules = Object.keys(ALLOWED).filter((name) => name !== 'gen');
  assert.deepEqual(entries.sort(), rules.sort());
});

/** Imports in the text of a file of src that its folder may not have. */
function importViolations(file: string, text: string): string[] {
  const folder = top(relative('src', file));
  const targets = [...text.matchAll(IMPORT)].map(([, , specifier]) =>
    relative('src', join(dirname(file), specifier!)),
  );
  return (
    targets
      // Outside src there are only package.json and data files: paths, not modules.
      .filter((target) => !target.startsWith('..') && top(target) !== folder)
      .filter((target) => !isAllowed(target, ALLOWED[folder] ?? []))
      .map((target) => `${file} imports ${target}`)
  );
}

test('files of src import only what their folder may', () => {
  const files = filesUnder('src', /\.ts$/).filter((file) => !file.startsWith('src/gen/'));
  const violations = files.flatMap((file) =>
    importViolations(file, readFileSync(join(ROOT, file), 'utf8')),
  );
  assert.deepEqual(violations, []);
});

test('the rule sees every form of import', () => {
  const text = [
    "import { a } from '../gst/a.ts';",
    "import type { b } from '../worker/session.ts';",
    "export { c } from '../worker/protocol.ts';",
    "const d = await import('../sinks/d.ts');",
    "import '../outbox/e.ts';",
    "import { f } from '../common/errors.ts';",
    "import { g } from './g.ts';",
  ].join('\n');
  assert.deepEqual(importViolations('src/control/x.ts', text), [
    'src/control/x.ts imports gst/a.ts',
    'src/control/x.ts imports worker/session.ts',
    'src/control/x.ts imports sinks/d.ts',
    'src/control/x.ts imports outbox/e.ts',
  ]);
});

test('the client runs by itself: from other folders it has types alone, and nothing of Node', () => {
  const violations = filesUnder('src/client', /\.ts$/).flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    return [...text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from '([^']+)';/gm)]
      .filter(([, isType, from]) => isType === undefined && !from!.startsWith('./'))
      .map(([line]) => `${file}: ${line}`);
  });
  assert.deepEqual(violations, []);
});

test('only gst loads the addon', () => {
  const loaders = filesUnder('src', /\.ts$/).filter((file) =>
    /PATHS\.addon|sightline\.node/.test(readFileSync(join(ROOT, file), 'utf8')),
  );
  const others = loaders.filter(
    (file) => !/^src\/(gst\/|common\/paths\.ts|services\/doctor)/.test(file),
  );
  assert.deepEqual(others, []);
});

test('only common/sqlite.ts loads SQLite: which version depends on Node', () => {
  const loaders = [...filesUnder('src', /\.ts$/), ...filesUnder('test', /\.ts$/)].filter((file) =>
    /^import (?!type )[^;]*'better-sqlite3/m.test(readFileSync(join(ROOT, file), 'utf8')),
  );
  assert.deepEqual(loaders, []);
});

test('native files include only what their folder may, and core and common no GStreamer', () => {
  const violations: string[] = [];
  for (const folder of Object.keys(NATIVE_ALLOWED)) {
    for (const file of filesUnder(`native/${folder}`, /\.(cc|h)$/)) {
      for (const [, quote, target] of readFileSync(join(ROOT, file), 'utf8').matchAll(INCLUDE)) {
        if (folder === 'core' && /^(gst|glib)/.test(target!)) {
          violations.push(`${file} includes ${target}`);
        }
        if (quote !== '"' || top(target!) === folder) continue;
        if (!isAllowed(target!, NATIVE_ALLOWED[folder] ?? [])) {
          violations.push(`${file} includes ${target}`);
        }
      }
    }
  }
  assert.deepEqual(violations, []);
});

test('binding.gyp builds the addon alone', () => {
  const gyp = readFileSync(join(ROOT, 'binding.gyp'), 'utf8');
  assert.match(gyp, /native\/addon/);
  assert.doesNotMatch(gyp, /native\/(core|plugin|deepstream|camera)/);
});
