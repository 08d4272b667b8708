import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SightlineError } from '../../src/common/errors.ts';
import { GstPipeline } from '../../src/gst/pipeline.ts';
import type { Graph, PropertyValue } from '../../src/pipeline/graph.ts';
import { graph, node } from './graphs.ts';

/** A videotestsrc with the given properties into a fakesink. */
function testSource(
  properties: Readonly<Record<string, PropertyValue>>,
  more: { secret?: readonly string[]; optional?: readonly string[] } = {},
): Graph {
  return graph('p', [
    node('src', 'videotestsrc', 'source', properties, more),
    node('sink', 'fakesink', 'output'),
  ]);
}

async function failure(broken: Graph): Promise<SightlineError> {
  try {
    await using pipeline = await GstPipeline.create(broken);
    assert.fail(`"${pipeline.graph.id}" was built`);
  } catch (error) {
    assert.ok(error instanceof SightlineError, String(error));
    return error;
  }
}

test('create() names the element that is not installed', async () => {
  const error = await failure(graph('p', [node('dec', 'avdec_h999', 'decode')]));
  assert.equal(error.code, 'SL_BACKEND_UNSUPPORTED');
  assert.match(error.message, /Node "dec": GStreamer has no element "avdec_h999"/);
  assert.deepEqual(error.details, { node: 'dec', factory: 'avdec_h999' });
});

test('create() never parses an element name as pipeline text', async () => {
  for (const factory of ['videotestsrc ! filesink location=/tmp/x', 'videotestsrc pattern=ball']) {
    const error = await failure(graph('p', [node('src', factory, 'source')]));
    assert.equal(error.code, 'SL_BACKEND_UNSUPPORTED');
  }
});

test('create() refuses a property that the element does not have', async () => {
  const error = await failure(testSource({ patern: 'ball' }));
  assert.equal(error.code, 'SL_SPEC_INVALID');
  assert.match(error.message, /Node "src" \(videotestsrc\) has no property "patern"/);
  assert.deepEqual(error.details, { node: 'src', factory: 'videotestsrc', property: 'patern' });
});

test('create() leaves out a property that is optional and not there', async () => {
  await using pipeline = await GstPipeline.create(
    testSource({ patern: 'ball', 'num-buffers': 3 }, { optional: ['patern'] }),
  );
  assert.deepEqual(await pipeline.getProperties([['src', 'num-buffers']]), [3]);
});

test('create() checks an optional property that is there', async () => {
  const error = await failure(testSource({ pattern: 'bal' }, { optional: ['pattern'] }));
  assert.equal(error.code, 'SL_SPEC_INVALID');
});

const WRONG_VALUES: readonly [string, string, PropertyValue, RegExp][] = [
  ['a nick that is none', 'pattern', 'bal', /cannot be "bal"; it takes one of smpte, snow, /],
  ['an enum number that is none', 'pattern', 9999, /it takes one of smpte/],
  ['an integer out of range', 'num-buffers', -2, /integer from -1 to 2147483647/],
  ['an integer that does not fit', 'num-buffers', 2 ** 40, /integer from -1 to 2147483647/],
  ['a fraction of an integer', 'num-buffers', 1.5, /cannot be 1\.5; it takes an integer/],
  ['not a number', 'num-buffers', Number.NaN, /it takes an integer/],
  ['a string for an integer', 'num-buffers', '3', /cannot be "3"; it takes an integer/],
  ['a number for a boolean', 'is-live', 1, /cannot be 1; it takes true or false/],
  ['a string for a boolean', 'is-live', 'true', /it takes true or false/],
  ['a negative unsigned integer', 'foreground-color', -1, /integer from 0 to 4294967295/],
];
for (const [what, property, value, message] of WRONG_VALUES) {
  test(`create() refuses ${what}, naming what is allowed`, async () => {
    const error = await failure(testSource({ [property]: value }));
    assert.equal(error.code, 'SL_SPEC_INVALID');
    assert.match(error.message, message);
    assert.equal(error.details['property'], property);
  });
}

test('create() refuses a read-only property', async () => {
  const error = await failure(
    graph('p', [node('sink', 'fakesink', 'output', { 'last-message': 'x' })]),
  );
  assert.match(error.message, /property "last-message" can only be read/);
});

test('create() refuses to rename an element', async () => {
  const error = await failure(testSource({ name: 'other' }));
  assert.match(error.message, /an element is named by its node's id/);
});

test('create() does not tell the value of a secret property', async () => {
  const error = await failure(testSource({ pattern: 'hunter2' }, { secret: ['pattern'] }));
  assert.match(error.message, /cannot be \[redacted\]/);
  assert.doesNotMatch(JSON.stringify([error.message, error.details]), /hunter2/);
});

test('create() sets enums by nick or number, flags by nicks, caps, fractions and numbers', async () => {
  await using pipeline = await GstPipeline.create(
    graph('p', [
      node('src', 'videotestsrc', 'source', { pattern: 18 }),
      node('rate', 'videorate', 'convert', { rate: 2.5, 'max-rate': 30 }),
      node('caps', 'capsfilter', 'convert', { caps: 'video/x-raw,width=[16,32],height=16' }),
      node('scale', 'videoscale', 'convert', { method: 'nearest-neighbour' }),
      node('sink', 'fakesink', 'output'),
    ]),
  );
  const values = await pipeline.getProperties([
    ['src', 'pattern'],
    ['rate', 'rate'],
    ['rate', 'max-rate'],
    ['caps', 'caps'],
    ['scale', 'method'],
  ]);
  assert.deepEqual(values, [
    'ball',
    2.5,
    30,
    'video/x-raw, width=(int)[ 16, 32 ], height=(int)16',
    'nearest-neighbour',
  ]);
});

test('create() sets flags by their nicks and refuses unknown ones', async () => {
  const source = (protocols: PropertyValue) =>
    graph('p', [node('src', 'rtspsrc', 'source', { location: 'rtsp://127.0.0.1/x', protocols })]);
  await using pipeline = await GstPipeline.create(source('tcp+udp'));
  assert.deepEqual(await pipeline.getProperties([['src', 'protocols']]), ['udp+tcp']);
  const error = await failure(source('tcp+carrier-pigeon'));
  assert.match(error.message, /any of unknown, udp, udp-mcast, tcp, http, tls, joined with "\+"/);
});

test('create() refuses caps that are none', async () => {
  const asProperty = await failure(
    graph('p', [node('caps', 'capsfilter', 'convert', { caps: 'video/x-raw,,' })]),
  );
  assert.match(asProperty.message, /it takes caps, such as/);
  const base = testSource({});
  const asFilter = await failure({
    ...base,
    links: [{ from: 'src', to: 'sink', caps: 'not caps at all!' }],
  });
  assert.match(asFilter.message, /"not caps at all!" is not a caps description/);
});

test('create() refuses a node id that is used twice or holds odd characters', async () => {
  const sink = (id: string) => node(id, 'fakesink', 'output');
  const twice = await failure(graph('p', [sink('a'), sink('a')], { links: [] }));
  assert.match(twice.message, /Node id "a" is used twice/);
  const odd = await failure(graph('p', [sink('a b')]));
  assert.match(odd.message, /Node id "a b" may hold only/);
});

test('create() refuses links that cannot be made, and says why', async () => {
  const nodes = [
    node('src', 'audiotestsrc', 'source'),
    node('enc', 'jpegenc', 'encode-image'),
    node('sink', 'fakesink', 'output'),
  ];
  const incompatible = await failure(graph('p', nodes));
  assert.match(
    incompatible.message,
    /Cannot link src to enc: the first gives audio\/x-raw.*, the second takes video\/x-raw/,
  );
  const missing = await failure(graph('p', nodes, { links: [{ from: 'src', to: 'nowhere' }] }));
  assert.match(missing.message, /there is no node "nowhere"/);
});

test('create() links request pads by template and pads by name', async () => {
  await using pipeline = await GstPipeline.create(
    graph(
      'p',
      [
        node('src', 'videotestsrc', 'source', { 'num-buffers': 5 }),
        node('split', 'tee', 'split'),
        node('a', 'fakesink', 'output', { 'signal-handoffs': false }),
        node('b', 'fakesink', 'output'),
      ],
      {
        links: [
          { from: 'src.src', to: 'split' },
          { from: 'split.src_%u', to: 'a.sink' },
          { from: 'split.src_%u', to: 'b' },
        ],
      },
    ),
  );
  const dot = await pipeline.dot();
  assert.match(dot, /label="src_0/);
  assert.match(dot, /label="src_1/);
});

test('create() refuses an output node that is no appsink', async () => {
  const error = await failure(
    graph('p', [node('sink', 'fakesink', 'output', {}, { outputKind: 1 })]),
  );
  assert.match(error.message, /Node "sink" has an outputKind but is no appsink/);
});

test('create() throws TypeError for what is no graph', async () => {
  const { nodes, ...rest } = testSource({});
  const broken = { ...rest, nodes: [{ ...nodes[0], factory: 7 }] } as unknown as Graph;
  await assert.rejects(GstPipeline.create(broken), {
    name: 'TypeError',
    message: 'graph.nodes[0].factory must be a string',
  });
});
