import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkLowered } from '../../../src/pipeline/catalogue/check.ts';
import { lowered, node } from './build.ts';
import { dynamicGraph } from './canonical.ts';
import type { WrongCase } from './corpus.ts';
import { EXAMPLES } from './examples.ts';
import { CATALOGUE, check, errors, KEYS } from './facts.ts';
import { full, fullNew, fullTriton, PATHS } from './full.ts';
import { add, all, bypass, edit, inGraph, insert, link, relink, replace, set } from './mutate.ts';

/** What starts and runs, and yet is probably not what was meant: a warning, and no error. */
const ADVICE: readonly WrongCase[] = [
  {
    name: 'a property of an element of which little is known',
    change: replace('jpeg', 'nvjpegenc', { quality: 85, optimise: true }),
    says: ['"optimise" is not in the catalogue, which knows only a part'],
    node: 'jpeg',
  },
  {
    name: 'a source whose number is not that of its pad',
    change: set('source-1', 'source-id', 5),
    says: ['"source-id" is 5, but it is linked to pad "sink_1"', 'analytics call it 1, messages 5'],
    node: 'source-1',
  },
  {
    name: 'a bit rate in kbit/s',
    change: set('encode', 'bitrate', 4000),
    says: ['"bitrate" is 4000 bit/s'],
    node: 'encode',
  },
  {
    name: 'a stream that later viewers cannot start',
    change: all(set('encode', 'insert-sps-pps', false), set('encode-parse', 'config-interval', 0)),
    says: ['who connects later to "pay" sees nothing'],
    node: 'encode',
  },
  {
    name: 'a tracker size that is no multiple of 32',
    change: set('track', 'tracker-width', 1000),
    says: ['need a multiple of 32'],
    node: 'track',
  },
  {
    name: 'a muxer that waits for a model',
    change: bypass('mux-queue'),
    says: ['follows "mux" without a queue'],
    node: 'infer',
  },
  {
    name: 'surfaces that wait in an application',
    change: all(
      relink('jpeg-convert', 'jpeg', { caps: 'video/x-raw(memory:NVMM)' }),
      bypass('jpeg'),
      set('jpegs', 'max-buffers', 0),
    ),
    says: ['"max-buffers" is 0 (no limit)'],
    node: 'jpegs',
  },
  {
    name: 'a leaky queue of compressed video',
    change: insert('encode', node('leak', 'queue', { leaky: 'upstream' }), 'encode-parse'),
    says: ['drops compressed video'],
    node: 'leak',
  },
  {
    name: 'a file nobody reads',
    change: set('track', 'll-config-file', '/etc/other.yml'),
    says: [`tracker file ${PATHS.tracker}: no element reads it`],
    pointer: '/track',
  },
  {
    name: 'padding that does nothing',
    change: edit(PATHS.primary, 'maintain-aspect-ratio=1', 'maintain-aspect-ratio=0'),
    says: ['has no effect without "maintain-aspect-ratio=1"'],
    key: 'symmetric-padding',
  },
  {
    name: 'INT8 without a table',
    change: edit(PATHS.primary, 'network-mode=2', 'network-mode=1'),
    says: ['INT8 needs "int8-calib-file"'],
    key: 'network-mode',
  },
  {
    name: 'a key the tables of the tracker do not have',
    change: edit(PATHS.tracker, 'probationAge: 3', 'probationAge: 3\n  somethingQuiteNew: 1'),
    says: ['there is no key "somethingQuiteNew" in the tables, which may be incomplete'],
    key: 'somethingQuiteNew',
  },
  {
    name: 'zones that watch nothing',
    change: edit(PATHS.analytics, /roi-gate=.*\n/, ''),
    says: ['is enabled and has nothing to watch'],
    node: 'analytics',
  },
  {
    name: 'a model on Triton that takes several runs a batch',
    base: fullTriton,
    change: edit(PATHS.triton, 'max_batch_size: 2', 'max_batch_size: 1'),
    says: ['each takes several runs'],
    key: 'infer_config.max_batch_size',
  },
  {
    name: 'the new muxer in the registry of the old',
    base: fullNew,
    change: set('mux', 'attach-sys-ts', false),
    says: ['GST_REGISTRY is not set'],
  },
  {
    name: 'streams the demultiplexer will drop',
    base: () => lowered(dynamicGraph(4)),
    change: all(
      add(
        node('demux-queue', 'queue'),
        node('demux', 'nvstreamdemux'),
        node('parked', 'fakesink', { sync: false, async: false }),
      ),
      link('split', 'demux-queue'),
      link('demux-queue', 'demux'),
      link('demux.src_0', 'parked'),
    ),
    says: ['has 1 of 4 pads linked'],
    node: 'demux',
  },
  {
    name: 'a display of cards on Jetson',
    platform: 'jetson',
    base: () =>
      lowered(EXAMPLES.find(({ name }) => name === 'a file on a screen of Jetson')!.graph),
    change: replace('screen', 'nveglglessink'),
    says: ['use nv3dsink on Jetson'],
    node: 'screen',
  },
];

describe('advice', () => {
  for (const { name, base = full, change, platform = 'dgpu', ...wanted } of ADVICE) {
    it(name, () => {
      const findings = check(change(base(platform)), platform);
      assert.deepEqual(errors(findings), []);
      const found = findings.filter(
        ({ message, node: id, pointer, file }) =>
          wanted.says.every((part) => message.includes(part)) &&
          (wanted.node === undefined || id === wanted.node) &&
          (wanted.pointer === undefined || pointer === wanted.pointer) &&
          (wanted.key === undefined || file?.key === wanted.key),
      );
      assert.equal(found.length, 1, JSON.stringify(findings, null, 1));
    });
  }

  it('is all an example gets for what only matters unattended', () => {
    const rtsp = EXAMPLES.find(({ name }) => name === 'RTSP out')!;
    const findings = check(lowered(rtsp.graph));
    assert.deepEqual(errors(findings), []);
    const told = findings.map(({ property }) => property);
    for (const property of ['drop-pipeline-eos', 'rtsp-reconnect-interval', 'sync']) {
      assert.ok(told.includes(property), property);
    }
  });
});

describe('where a finding points', () => {
  it('is the part of the spec that sets the property, where one does', () => {
    const wrong = set('mux', 'width', -1)(full());
    const findings = checkLowered(wrong, {
      catalogue: CATALOGUE,
      keys: KEYS,
      platform: 'dgpu',
      deepstream: '9.1',
      overrides: { nvstreammux: { width: -1 } },
    });
    assert.deepEqual(
      findings.filter(({ level }) => level === 'error').map(({ pointer }) => pointer),
      ['/deepstream/elements/nvstreammux/width'],
    );
  });

  it('never shows a secret', () => {
    const secret = inGraph((graph) => ({
      ...graph,
      nodes: graph.nodes.map((item) =>
        item.id === 'source-0'
          ? {
              ...item,
              properties: { ...item.properties, uri: 'rtsps://user:hunter2@cam/x', 'sei-uuid': 7 },
              secret: ['uri', 'sei-uuid'],
            }
          : item,
      ),
    }));
    const findings = check(secret(full()));
    assert.equal(errors(findings).length, 2);
    assert.doesNotMatch(JSON.stringify(findings), /hunter2|it is 7/);
  });

  it('is refused for a platform or version nobody knows', () => {
    assert.throws(() => check(full(), 'xavier'), /no platform "xavier"/);
  });
});
