#!/usr/bin/env node
/**
 * Rebuilds the element catalogue from this machine: runs `gst-inspect-1.0` for every element of the catalogue (and for
 * those named) and writes what it says. Elements this machine lacks keep their entry.
 *
 *   node scripts/deepstream-catalogue.mjs [--platform dgpu|jetson|orin-nano|sbsa] [--file FILE] [--check] [FACTORY...]
 *
 * --platform is needed where NVIDIA's elements are installed, for they differ between platforms. --check writes nothing
 * and fails where the file differs from this machine. With FACTORY only those are read.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { formatCatalogue } from './deepstream/catalogue-file.mjs';
import { parseInspect } from './deepstream/inspect-text.mjs';
import { mergeEntry } from './deepstream/merge-entry.mjs';

const run = promisify(execFile);
const DEFAULT_FILE = fileURLToPath(
  new URL('../configs/deepstream/catalogue-9.1.json', import.meta.url),
);
const PLUGINS = fileURLToPath(new URL('../build-native/plugin', import.meta.url));
const TIMEOUT_MS = 30_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    platform: { type: 'string' },
    file: { type: 'string', default: DEFAULT_FILE },
    check: { type: 'boolean', default: false },
  },
});

const before = readFileSync(values.file, 'utf8');
const catalogue = JSON.parse(before);
const family = familyOf(values.platform);
const release = (await inspect(['--version'], {})).match(/version (\S+)/)?.[1] ?? 'unknown';
const from = `gst-inspect-1.0 ${release} on ${values.platform ?? 'a machine without NVIDIA GPU'}, ${arch()}`;

const absent = [];
for (const key of positionals.length > 0 ? positionals : Object.keys(catalogue.elements)) {
  const entry = catalogue.elements[key];
  const found = await inspectElement(entry?.factory ?? key, environmentOf(key));
  if (found === undefined) absent.push(key);
  else if (/^nv/.test(key) && family === undefined)
    fail(`Cannot read ${key}: --platform is needed`);
  else {
    const machine = /^nv/.test(key) ? { from, family } : { from };
    catalogue.elements[key] = mergeEntry(entry, found, machine);
  }
}

const byName = Object.entries(catalogue.elements).sort(([a], [b]) => (a < b ? -1 : 1));
const after = formatCatalogue({ ...catalogue, elements: Object.fromEntries(byName) });
if (absent.length > 0) console.log(`Not on this machine, left as they are: ${absent.join(' ')}`);
if (after === before) console.log(`${values.file} is up to date`);
else if (values.check) fail(`${values.file} differs from what this machine says`);
else {
  writeFileSync(values.file, after);
  console.log(`Wrote ${values.file}`);
}

function familyOf(platform) {
  if (platform === undefined) return undefined;
  const known = Object.keys(catalogue.platforms);
  if (!known.includes(platform)) fail(`--platform is one of ${known.join(', ')}`);
  return catalogue.platforms[platform].family;
}

/** The variables under which the factory of an entry is what the entry describes. */
function environmentOf(key) {
  for (const { variants = {} } of Object.values(catalogue.elements)) {
    for (const [setting, name] of Object.entries(variants)) {
      if (name === key) return Object.fromEntries([setting.split('=')]);
    }
  }
  return {};
}

/** What gst-inspect-1.0 says of a factory; undefined where the machine lacks it. */
async function inspectElement(factory, environment) {
  try {
    return parseInspect(await inspect([factory], environment));
  } catch (error) {
    // Anything else is a fault of the tool or of the parser.
    if (/^No such element or plugin/m.test(error.stderr ?? '')) return undefined;
    throw error;
  }
}

async function inspect(args, environment) {
  const { stdout } = await run('gst-inspect-1.0', args, {
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: 64 * 1024 * 1024,
    env: {
      ...process.env,
      LC_ALL: 'C',
      GST_INSPECT_NO_COLORS: '1',
      GST_PLUGIN_PATH: process.env.GST_PLUGIN_PATH ?? PLUGINS,
      ...environment,
    },
  });
  return stdout;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
