import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SightlineError } from '../../../src/common/errors.ts';
import { fakeWorker, untilState } from '../../control/support.ts';
import { until } from '../../support/wait.ts';
import { BAD, FAILED, OK, result } from './raw.ts';
import { CONTROLLED, sensor, startFacade as start } from './support.ts';

const ADD = '/api/v1/stream/add';
const REMOVE = '/api/v1/stream/remove';
const INFO = '/api/v1/stream/get-stream-info';
const URL_1 = 'rtsp://user:s3cret-pass@10.0.0.1/1';
const ADDED = result(OK, 'STREAM_ADD_SUCCESS');
const REMOVED = result(OK, 'STREAM_REMOVE_SUCCESS');
const DUPLICATE = result(FAILED, 'STREAM_ADD_FAIL, Duplicate Camera id, unable to add stream');
const NOT_ADDED = result(FAILED, 'STREAM_ADD_FAIL, Failed to add source stream');
const NO_RECORD = result(
  FAILED,
  'STREAM_REMOVE_FAIL, No record found. Failed to remove source stream',
);

/** Camera ids and numbers of the list, as it stands. */
function listed(body: string): readonly (readonly [string, number])[] {
  const info = JSON.parse(body) as {
    'stream-info': { 'stream-info': { camera_id: string; source_id: number }[] };
  };
  return info['stream-info']['stream-info'].map((item) => [item.camera_id, item.source_id]);
}

test('the list of no streams, and of two, newest first, to the byte', async (t) => {
  const facade = await start(t);
  assert.equal(
    await facade.get(INFO),
    '{\n\t"reason" : "GET_LIVE_STREAM_INFO_SUCCESS",\n\t"status" : "HTTP/1.1 200 OK",\n\t"stream-info" : \n\t{\n\t\t"stream-count" : 0,\n\t\t"stream-info" : []\n\t}\n}',
  );
  assert.equal(await facade.post(ADD, sensor('camera_add', 'UniqueSensorId1', URL_1)), ADDED);
  assert.equal(await facade.post(ADD, sensor('camera_add', 'Tür "2"', URL_1)), ADDED);
  assert.equal(
    await facade.get(INFO),
    '{\n\t"reason" : "GET_LIVE_STREAM_INFO_SUCCESS",\n\t"status" : "HTTP/1.1 200 OK",\n\t"stream-info" : \n\t{\n\t\t"stream-count" : 2,\n\t\t"stream-info" : \n\t\t[\n\t\t\t{\n\t\t\t\t"camera_id" : "T\\u00fcr \\"2\\"",\n\t\t\t\t"camera_name" : "front_door",\n\t\t\t\t"source_id" : 1\n\t\t\t},\n\t\t\t{\n\t\t\t\t"camera_id" : "UniqueSensorId1",\n\t\t\t\t"camera_name" : "front_door",\n\t\t\t\t"source_id" : 0\n\t\t\t}\n\t\t]\n\t}\n}',
  );
  const [first, second] = facade.orchestrator.listStreams();
  assert.match(first!.id, /^uniquesensorid1-[0-9a-f]{10}$/);
  assert.equal(first!.spec['sensorId'], 'UniqueSensorId1');
  assert.match(second!.id, /^tu-r-2-[0-9a-f]{10}$/);
  assert.equal(second!.spec['sensorId'], undefined, 'no name for a metadata field');
});

test('what is asked stands in `change`, under `value` or `event`, whatever the path', async (t) => {
  const { post, get } = await start(t);
  assert.equal(await post(REMOVE, sensor('camera_streaming', 'a', URL_1)), ADDED);
  assert.equal(await post(ADD, sensor('camera_add', 'b', URL_1, {}, 'event')), ADDED);
  assert.equal(await post(ADD, sensor('add', 7, URL_1)), ADDED);
  assert.deepEqual(listed(await get(INFO)), [
    ['7', 2],
    ['b', 1],
    ['a', 0],
  ]);
  assert.equal(await post(ADD, sensor('camera_remove', 'a', URL_1)), REMOVED);
  assert.equal(
    await post(ADD, sensor('camera_move', 'a', URL_1)),
    result(BAD, 'Sensor API change string not supported'),
  );
});

const FIND = 'in Json::Value::find(begin, end): requires objectValue or nullValue';
const TYPE = 'Type is not convertible to string';
for (const [name, body, reason] of [
  ['no URL, add', sensor('add', 'a', ''), 'STREAM_ADD_FAIL, Source url empty'],
  ['no URL, remove', sensor('remove', 'a', ''), 'STREAM_REMOVE_FAIL, Source url empty'],
  ['no URL, neither', sensor('streaming', 'a', null), 'STREAM_REMOVE_FAIL, Source url empty'],
  ['no id, add', sensor('add', '', URL_1), 'STREAM_ADD_FAIL, Source id empty'],
  ['no id, remove', sensor('remove', '', URL_1), 'STREAM_REMOVE_FAIL, Source id empty'],
  ['an id that is a list', sensor('add', ['a'], URL_1), `STREAM ADD/REMOVE_FAIL, error: ${TYPE}`],
  ['a URL that is an object', sensor('add', 'a', {}), `STREAM ADD/REMOVE_FAIL, error: ${TYPE}`],
  [
    'metadata of another type',
    sensor('add', 'a', URL_1, { metadata: 'x' }),
    `STREAM ADD/REMOVE_FAIL, error: ${FIND}`,
  ],
  ['a root that is a list', ['a'], `STREAM ADD/REMOVE_FAIL, error: ${FIND}`],
  ['a value that is a list', { value: ['a'] }, `STREAM ADD/REMOVE_FAIL, error: ${FIND}`],
  ['a key that is a list', { key: [] }, `STREAM ADD/REMOVE_FAIL, error: ${TYPE}`],
  ['headers that are a list', { headers: [1] }, `STREAM ADD/REMOVE_FAIL, error: ${FIND}`],
  ['a value that is a text', { value: 'add' }, 'Sensor API change string not supported'],
  ['metadata alone', { value: { metadata: {} } }, 'Sensor API change string not supported'],
] as const) {
  test(`the parser refuses ${name}`, async (t) => {
    const { post, orchestrator } = await start(t);
    assert.equal(await post(ADD, body), result(BAD, reason));
    assert.deepEqual(orchestrator.listStreams(), []);
  });
}

test('a camera id is taken once, also while the first is being added', async (t) => {
  const { post, get } = await start(t);
  const both = await Promise.all([
    post(ADD, sensor('add', 'Cam', URL_1)),
    post(ADD, sensor('add', 'Cam', 'rtsp://10.0.0.2/other')),
  ]);
  assert.deepEqual(both.sort(), [ADDED, DUPLICATE].sort());
  assert.equal(await post(ADD, sensor('add', 'Cam', URL_1)), DUPLICATE);
  assert.equal(listed(await get(INFO)).length, 1);
});

test('no more streams than max-batch-size; numbers go round and are not given anew at once', async (t) => {
  const { post, get } = await start(t, { maxStreams: 2 });
  const full = result(
    FAILED,
    'STREAM_ADD_FAIL, Active sources exceded max-batch-size of nvstreammux',
  );
  const three = ['a', 'b', 'c'].map((id) => post(ADD, sensor('add', id, URL_1)));
  const answers = await Promise.all(three);
  assert.deepEqual(answers.sort(), [ADDED, ADDED, full].sort());
  const [[newest], [oldest]] = listed(await get(INFO)) as [[string, number], [string, number]];
  assert.equal(await post(ADD, sensor('remove', newest, URL_1)), REMOVED);
  assert.equal(await post(ADD, sensor('add', 'd', URL_1)), ADDED);
  assert.equal(await post(ADD, sensor('remove', oldest, URL_1)), REMOVED);
  assert.equal(await post(ADD, sensor('add', 'e', URL_1)), ADDED);
  assert.deepEqual(listed(await get(INFO)), [
    ['e', 0],
    ['d', 1],
  ]);
});

test('a removal needs the id and the very URL; it tells nothing of the right one', async (t) => {
  const { post, lines, orchestrator } = await start(t);
  assert.equal(await post(ADD, sensor('add', 'a', URL_1)), ADDED);
  for (const [id, url] of [
    ['b', URL_1],
    ['a', 'rtsp://user:***@10.0.0.1/1'],
    ['a', 'rtsp://***@10.0.0.1/1'],
    ['a', 'rtsp://10.0.0.1/1'],
    ['a', `${URL_1}/`],
  ] as const) {
    assert.equal(await post(ADD, sensor('remove', id, url)), NO_RECORD, url);
  }
  const shown = JSON.stringify([lines, orchestrator.listStreams(), orchestrator.events.recent()]);
  assert.ok(!shown.includes('s3cret-pass'));
  assert.equal(await post(ADD, sensor('remove', 'a', URL_1)), REMOVED);
  assert.equal(await post(ADD, sensor('remove', 'a', URL_1)), NO_RECORD);
});

test('a stream that shares its pipeline cannot be removed; it is listed under its sensor id', async (t) => {
  const { post, get, orchestrator } = await start(t);
  const url = 'rtsp://10.0.0.9/1';
  const source = { type: 'rtsp', url, transport: 'tcp', latencyMs: 200 } as const;
  await orchestrator.addPipeline({
    id: 'yard',
    streams: [
      { id: 'gate', source, sensorId: 'Gate.1' },
      { id: 'door', source },
    ],
  });
  assert.deepEqual(
    listed(await get(INFO))
      .map(([id]) => id)
      .sort(),
    ['Gate.1', 'door'],
  );
  assert.equal(
    await post(REMOVE, sensor('remove', 'Gate.1', url)),
    result(FAILED, 'STREAM_REMOVE_FAIL,Failed to remove source stream'),
  );
});

for (const url of [
  'file:///etc/passwd',
  'http://169.254.169.254/latest/meta-data/x.mp4',
  'https://example.org/x.mp4',
  'rtspt://10.0.0.1/1',
  'rtsp://',
  'not a url',
  `rtsp://10.0.0.1/${'x'.repeat(3_000)}`,
]) {
  test(`${url.slice(0, 40)} is no source: nothing is opened, nothing is left`, async (t) => {
    // The real compiler refuses these; here the stand-in does, by the same rule.
    const { post, orchestrator } = await start(t, {}, { compiler: refusing() });
    assert.equal(await post(ADD, sensor('add', 'a', url)), NOT_ADDED);
    assert.deepEqual([orchestrator.listStreams(), orchestrator.workers()], [[], []]);
  });
}

function refusing(): typeof CONTROLLED {
  return {
    ...CONTROLLED,
    stream: (spec) => {
      const url = spec.source.type === 'rtsp' ? spec.source.url : '';
      if (/^rtsps?:\/\/[^/]/.test(url)) return CONTROLLED.stream(spec);
      throw new SightlineError('SL_SPEC_INVALID', 'no such source');
    },
  };
}

test('names beyond all measure are refused', async (t) => {
  const { post } = await start(t);
  assert.equal(await post(ADD, sensor('add', 'x'.repeat(1_025), URL_1)), NOT_ADDED);
});

test('honest: a camera that fails is no success, and nothing of it is left', async (t) => {
  const { post, orchestrator, lines } = await start(
    t,
    {},
    { command: fakeWorker('leak', 's3cret-pass') },
  );
  assert.equal(await post(ADD, sensor('add', 'a', URL_1)), NOT_ADDED);
  assert.deepEqual([orchestrator.listStreams(), orchestrator.workers()], [[], []]);
  const told = lines.find((line) => line.includes('nvidia.add-failed'));
  assert.match(told ?? '', /SL_SOURCE_UNREACHABLE/);
  assert.ok(!lines.join('').includes('s3cret-pass'));
});

test('honest: a camera that says nothing until the limit is no success either', async (t) => {
  const { post, orchestrator } = await start(
    t,
    { addTimeoutMs: 300 },
    { command: fakeWorker('deaf') },
  );
  assert.equal(await post(ADD, sensor('add', 'a', URL_1)), NOT_ADDED);
  assert.deepEqual(orchestrator.listStreams(), []);
});

test('honest: a stream that is removed while it is being added is no success', async (t) => {
  const { post, orchestrator } = await start(t, {}, { command: fakeWorker('deaf') });
  const adding = post(ADD, sensor('add', 'a', URL_1));
  await until('it exists', 5_000, () => orchestrator.listStreams().length === 1);
  await orchestrator.removeStream('a', { drainMs: 0 });
  assert.equal(await adding, NOT_ADDED);
});

test('strict: a stream that exists is a success, and stays while its camera does not answer', async (t) => {
  const { post, orchestrator } = await start(
    t,
    { compat: 'strict' },
    { command: fakeWorker('leak', 'x') },
  );
  assert.equal(await post(ADD, sensor('add', 'a', URL_1)), ADDED);
  await untilState(orchestrator, 'a', 'backoff');
});

test('after a restart streams have their names and numbers, and can be removed', async (t) => {
  const first = await start(t);
  for (const id of ['A 1', 'b', 'c']) {
    assert.equal(await first.post(ADD, sensor('add', id, URL_1)), ADDED);
  }
  assert.equal(await first.post(ADD, sensor('remove', 'A 1', URL_1)), REMOVED);
  await first.orchestrator.close();
  const { dataDir } = first;
  const second = await start(t, {}, { dataDir });
  assert.deepEqual(listed(await second.get(INFO)), [
    ['c', 2],
    ['b', 1],
  ]);
  assert.equal(await second.post(ADD, sensor('add', 'A 1', URL_1)), ADDED);
  assert.deepEqual(listed(await second.get(INFO))[0], ['A 1', 3], 'not the number just given up');
  assert.equal(await second.post(ADD, sensor('remove', 'b', URL_1)), REMOVED);
  assert.equal(await second.post(ADD, sensor('remove', 'A 1', URL_1)), REMOVED);
});
