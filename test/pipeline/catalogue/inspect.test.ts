import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { PATHS, ROOT } from '../../../src/common/paths.ts';
import type { Catalogue, ElementEntry } from '../../../src/pipeline/catalogue/catalogue.ts';
import { inFolder } from '../run.ts';
import { CATALOGUE } from './facts.ts';
import { GST_1_22, GST_1_24 } from './inspect-texts.ts';

type Found = Pick<ElementEntry, 'plugin' | 'properties' | 'pads' | 'signals'>;
interface Machine {
  readonly from: string;
  readonly family?: 'dgpu' | 'jetson';
}
interface Scripts {
  parseInspect(text: string): Found;
  mergeEntry(before: ElementEntry | undefined, found: Found, machine: Machine): ElementEntry;
  formatCatalogue(catalogue: object): string;
}

const run = promisify(execFile);
const SCRIPT = join(ROOT, 'scripts', 'deepstream-catalogue.mjs');
const load = async <T>(name: string) =>
  (await import(pathToFileURL(join(ROOT, 'scripts', 'deepstream', name)).href)) as T;
const { parseInspect } = await load<Scripts>('inspect-text.mjs');
const { mergeEntry } = await load<Scripts>('merge-entry.mjs');
const { formatCatalogue } = await load<Scripts>('catalogue-file.mjs');

describe('the output of gst-inspect-1.0', () => {
  const found = parseInspect(GST_1_22);

  it('gives numbers with their bounds, beyond 53 bits as text', () => {
    assert.deepEqual(found.properties['frames'], {
      type: 'uint64',
      min: 0,
      max: '18446744073709551615',
      default: 0,
      access: 'r',
    });
    assert.deepEqual(found.properties['offset'], {
      type: 'int64',
      min: '-9223372036854775808',
      max: '9223372036854775807',
      default: -5,
      change: 'ready',
    });
    assert.deepEqual(found.properties['gain'], {
      type: 'double',
      min: -1,
      max: 1.5,
      default: 0.25,
      change: 'controllable',
    });
  });

  it('gives the nicks and numbers of enums and flags', () => {
    assert.deepEqual(found.properties['mode'], {
      type: 'enum',
      default: -1,
      values: { auto: -1, 'row-interleaved': 2 },
      change: 'playing',
    });
    assert.deepEqual(found.properties['tune'], {
      type: 'flags',
      default: 5,
      values: { fast: 1, 'zero latency': 4 },
    });
  });

  it('gives text, caps, fractions and what no graph can set', () => {
    assert.deepEqual(found.properties['location'], { type: 'string', default: null });
    assert.deepEqual(found.properties['greeting'], {
      type: 'string',
      default: 'a: "b"',
      deprecated: true,
    });
    assert.deepEqual(found.properties['session'], { type: 'string' }, 'a default of this process');
    assert.deepEqual(found.properties['caps'], { type: 'caps' });
    assert.deepEqual(found.properties['rate'], { type: 'fraction' });
    assert.deepEqual(found.properties['sample'], { type: 'object', access: 'r' });
    assert.deepEqual(found.properties['secret'], { type: 'boolean', default: true, access: 'w' });
  });

  it('leaves out the name and the parent, and reads no field of a structure as a property', () => {
    const names = Object.keys(found.properties);
    for (const name of ['name', 'parent', 'average-rate', 'flags']) {
      assert.equal(names.includes(name), false, name);
    }
  });

  it('gives pad templates with their caps on one line', () => {
    assert.deepEqual(found.pads, [
      {
        name: 'sink_%u',
        direction: 'sink',
        presence: 'request',
        caps: 'video/x-raw(memory:NVMM), format={NV12,RGBA}, width=[1,2147483647], framerate=[0/1,2147483647/1]; video/x-raw(ANY)',
      },
      { name: 'src', direction: 'src', presence: 'always', caps: 'ANY' },
      { name: 'extra', direction: 'src', presence: 'sometimes', caps: 'video/x-h264, parsed=true' },
    ]);
  });

  it('gives signals and actions with the types of their arguments', () => {
    assert.deepEqual(found.signals, {
      eos: { kind: 'signal', args: [] },
      'select-stream': { kind: 'signal', args: ['guint', 'GstCaps*'] },
      'start-sr': { kind: 'action', args: ['guint', 'gchararray'] },
    });
    assert.equal(found.plugin, 'testplugin');
  });

  it('is read in the layout of GStreamer 1.24 too', () => {
    const newer = parseInspect(GST_1_24);
    assert.deepEqual(Object.keys(newer.properties), ['drop', 'max-bytes', 'leaky-type']);
    assert.deepEqual(newer.properties['leaky-type']?.values, { none: 0, upstream: 1 });
    assert.equal(newer.pads[0]?.caps, 'video/x-raw, format=NV12');
  });

  it('is refused where it is something else', () => {
    assert.throws(() => parseInspect('No such element or plugin\n'), /not the output/);
  });
});

describe('an entry read from a machine', () => {
  const before: ElementEntry = {
    from: 'source',
    complete: true,
    required: ['uri'],
    properties: {
      both: { type: 'int', note: 'a note' },
      card: { type: 'int', on: 'dgpu' },
      jetson: { type: 'int', on: 'jetson' },
      gone: { type: 'int' },
      rare: { type: 'int', on: 'jetson' },
    },
    pads: [{ name: 'src', direction: 'src', presence: 'always', caps: 'video/x-raw' }],
    signals: {},
  };
  const found: Found = {
    plugin: 'nv',
    properties: {
      both: { type: 'uint', min: 1 },
      jetson: { type: 'uint' },
      fresh: { type: 'boolean' },
    },
    pads: [{ name: 'src', direction: 'src', presence: 'always', caps: 'video/x-raw, format=NV12' }],
    signals: {},
  };

  it('keeps what only the other family has', () => {
    const merged = mergeEntry(before, found, { from: 'a Jetson', family: 'jetson' });
    assert.deepEqual(merged.properties, {
      both: { type: 'uint', min: 1, note: 'a note' },
      jetson: { type: 'uint', on: 'jetson' },
      fresh: { type: 'boolean', on: 'jetson' },
      card: { type: 'int', on: 'dgpu' },
      gone: { type: 'int', on: 'dgpu' },
    });
    assert.deepEqual(merged.pads[0]?.caps, {
      dgpu: 'video/x-raw',
      jetson: 'video/x-raw, format=NV12',
    });
    assert.deepEqual(merged.required, ['uri'], 'what a machine cannot tell stays');
    assert.equal(merged.from, 'a Jetson; source');
  });

  it('says nothing of the other family where little was known', () => {
    const partial = { ...before, complete: false };
    const merged = mergeEntry(partial, found, { from: 'a Jetson', family: 'jetson' });
    assert.deepEqual(merged.properties['fresh'], { type: 'boolean' });
    assert.equal(merged.complete, false);
  });

  it('is whole where there is one family only', () => {
    const merged = mergeEntry(before, found, { from: 'any machine' });
    assert.deepEqual(Object.keys(merged.properties), ['both', 'jetson', 'fresh']);
    assert.equal(merged.from, 'any machine');
  });

  it('twice from one machine is the same', () => {
    const machine: Machine = { from: 'gst-inspect-1.0 on a Jetson', family: 'jetson' };
    const once = mergeEntry(before, found, machine);
    const twice = mergeEntry(once, found, machine);
    assert.deepEqual(twice.properties, once.properties);
    assert.deepEqual(twice.pads, once.pads);
  });
});

describe('the catalogue file', () => {
  it('is written as the script writes it', async () => {
    const file = join(ROOT, 'configs', 'deepstream', 'catalogue-9.1.json');
    assert.equal(formatCatalogue(CATALOGUE), await readFile(file, 'utf8'));
  });

  it("says of Sightline's own elements what the plugin says", async () => {
    await inFolder(async (folder) => {
      const env = {
        ...process.env,
        GST_PLUGIN_PATH: PATHS.pluginDir,
        GST_REGISTRY: join(folder, 'registry.bin'),
      };
      const own = Object.entries(CATALOGUE.elements).filter(
        ([, { plugin }]) => plugin === 'sightline',
      );
      assert.ok(own.length >= 8, `${own.length} elements`);
      for (const [factory, entry] of own) {
        const found = parseInspect((await run('gst-inspect-1.0', [factory], { env })).stdout);
        const known = mergeEntry(entry, found, { from: entry.from });
        const remedy = `run: node scripts/deepstream-catalogue.mjs ${factory}`;
        assert.deepEqual(known.properties, entry.properties, remedy);
        assert.deepEqual(known.pads, entry.pads, remedy);
        assert.deepEqual(known.signals, entry.signals, remedy);
      }
    });
  });

  it('is rebuilt from this machine, and the rest is left as it is', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'catalogue.json');
      await copyFile(join(ROOT, 'configs', 'deepstream', 'catalogue-9.1.json'), file);
      const catalogue = JSON.parse(await readFile(file, 'utf8')) as Catalogue;
      const entries = catalogue.elements as Record<string, ElementEntry>;
      entries['queue'] = { ...entries['queue']!, properties: {}, pads: [] };
      await writeFile(file, JSON.stringify(catalogue));
      const env = {
        ...process.env,
        GST_PLUGIN_PATH: PATHS.pluginDir,
        GST_REGISTRY: join(folder, 'registry.bin'),
      };
      const names = ['queue', 'slstamp', 'nvinfer', 'identity'];
      const { stdout } = await run('node', [SCRIPT, '--file', file, ...names], { env });
      assert.match(stdout, /Not on this machine, left as they are: nvinfer\n/);
      const { elements } = JSON.parse(await readFile(file, 'utf8')) as Catalogue;
      assert.equal(elements['queue']?.properties['max-size-buffers']?.type, 'uint');
      assert.deepEqual(elements['queue']?.pads, CATALOGUE.elements['queue']?.pads);
      assert.deepEqual(elements['slstamp']?.properties['stage']?.values, { receive: 0, decode: 1 });
      assert.deepEqual(elements['nvinfer'], CATALOGUE.elements['nvinfer']);
      assert.match(elements['identity']?.from ?? '', /^gst-inspect-1\.0 1\./);
    });
  });
});
