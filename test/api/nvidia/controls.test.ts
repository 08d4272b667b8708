import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeWorker } from '../../control/support.ts';
import { answer, BAD, exchange, FAILED, OK, request, result } from './raw.ts';
import { sensor, startFacade } from './support.ts';

const FIND = 'in Json::Value::find(begin, end): requires objectValue or nullValue';
const UINT = 'Value is not convertible to UInt.';

/** Of each endpoint: its path, a good value, and NVIDIA's texts (recorded, or from the 9.1 sources). */
interface Texts {
  readonly path: string;
  readonly name: string;
  readonly good: object;
  /** Bad values and the whole reason of each. */
  readonly bad: readonly (readonly [object, string])[];
  readonly unknown: string;
  /** What is answered for a stream that exists. */
  readonly known: string;
}

const fail = (name: string, text: string) => `${name}_UPDATE_FAIL, ${text}`;

const ENDPOINTS: readonly Texts[] = [
  {
    path: 'dec/drop-frame-interval',
    name: 'DROP_FRAME_INTERVAL',
    good: { drop_frame_interval: 30 },
    bad: [
      [
        { drop_frame_interval: 31 },
        'DROP_FRAME_INTERVAL_UPDATE_FAIL, drop_frame_interval value not parsed correctly, Range: 0 - 30',
      ],
      [{ drop_frame_interval: '3' }, fail('DROP_FRAME_INTERVAL', `error: ${UINT}`)],
      [
        { drop_frame_interval: -1 },
        fail('DROP_FRAME_INTERVAL', 'error: LargestInt out of UInt range'),
      ],
    ],
    unknown: fail('DROP_FRAME_INTERVAL', 'drop-frame-interval not set on decoder'),
    known: 'DROP_FRAME_INTERVAL_UPDATE_SUCCESS',
  },
  {
    path: 'dec/skip-frames',
    name: 'SKIP_FRAMES',
    good: { skip_frames: 2 },
    bad: [
      [
        { skip_frames: 3 },
        'SKIP_FRAMES_UPDATE_FAIL, skip_frames value not parsed correctly, Range: 0-2',
      ],
      [{ skip_frames: {} }, fail('SKIP_FRAMES', `error: ${UINT}`)],
    ],
    unknown: fail('SKIP_FRAMES', 'skip-frame not set on decoder'),
    known: 'SKIP_FRAMES_UPDATE_SUCCESS',
  },
  {
    path: 'dec/low-latency-mode',
    name: 'LOW_LATENCY_MODE',
    good: { low_latency_mode: true },
    bad: [
      [
        { low_latency_mode: 'yes' },
        fail('LOW_LATENCY_MODE', 'error: Value is not convertible to bool.'),
      ],
    ],
    unknown: fail('LOW_LATENCY_MODE', 'low-latency-mode not set on decoder'),
    known: fail('LOW_LATENCY_MODE', 'low-latency-mode not set on decoder'),
  },
  {
    path: 'infer/set-interval',
    name: 'INFER_INTERVAL',
    good: { interval: 32 },
    bad: [
      [
        { interval: 33 },
        'INFER_INTERVAL_UPDATE_FAIL, interval value not parsed correctly, Unsigned Integer. Range: 0 - 32 ',
      ],
      [{ interval: [] }, fail('INFER_INTERVAL', `error: ${UINT}`)],
    ],
    unknown: fail('INFER_INTERVAL', 'Unable to find stream id for infer property updation'),
    known: 'INFER_INTERVAL_UPDATE_SUCCESS',
  },
  {
    path: 'inferserver/set-interval',
    name: 'INFERSERVER_INTERVAL',
    good: { interval: 2147483647 },
    bad: [
      [
        { interval: 2147483648 },
        'INFERSERVER_INTERVAL_UPDATE_FAIL, interval value not parsed correctly, Unsigned Integer. Range: 0 - 2147483647 ',
      ],
      [
        { interval: 4294967296 },
        fail('INFERSERVER_INTERVAL', 'error: LargestInt out of UInt range'),
      ],
    ],
    unknown: fail(
      'INFERSERVER_INTERVAL',
      'Unable to find stream id for infer (inferserver) property updation',
    ),
    known: fail('INFERSERVER_INTERVAL', 'nv-infer-interval-update event not pushed'),
  },
  {
    path: 'nvtracker/config-path',
    name: 'NVTRACKER_CONFIG',
    good: { config_path: '/etc/passwd' },
    bad: [
      [{ config_path: {} }, fail('NVTRACKER_CONFIG', 'error: Type is not convertible to string')],
    ],
    unknown: fail('NVTRACKER_CONFIG', 'Unable to find stream id for nvTracker property updation'),
    known: fail('NVTRACKER_CONFIG', 'nv-tracker-config-update event not pushed'),
  },
  {
    path: 'enc/bitrate',
    name: 'BITRATE',
    good: { bitrate: 4294967295 },
    bad: [[{ bitrate: 4294967296 }, fail('BITRATE', 'error: LargestInt out of UInt range')]],
    unknown: fail('BITRATE', 'Not able to find source id'),
    known: fail('BITRATE', 'nv-enc-bitrate-update event not pushed'),
  },
  {
    path: 'enc/force-idr',
    name: 'FORCE_IDR',
    good: { force_idr: true },
    bad: [[{ force_idr: [] }, fail('FORCE_IDR', 'error: Value is not convertible to bool.')]],
    unknown: fail('FORCE_IDR', 'Not able to find source id'),
    known: fail('FORCE_IDR', 'nv-enc-force-idr event not pushed'),
  },
  {
    path: 'enc/force-intra',
    name: 'FORCE_INTRA',
    good: { force_intra: 1 },
    bad: [[{ force_intra: '1' }, fail('FORCE_INTRA', 'error: Value is not convertible to bool.')]],
    unknown: fail('FORCE_INTRA', 'Not able to find source id'),
    known: fail('FORCE_INTRA', 'nv-enc-force-intra event not pushed'),
  },
  {
    path: 'enc/iframe-interval',
    name: 'IFRAME_INTERVAL',
    good: { iframeinterval: 256 },
    bad: [
      [
        { iframeinterval: 257 },
        'IFRAME_INTERVAL_UPDATE_FAIL, iframeinterval value not parsed correctly, Unsigned Integer Range: 0 - 4294967295',
      ],
    ],
    unknown: fail('IFRAME_INTERVAL', 'Not able to find source id'),
    known: fail('IFRAME_INTERVAL', 'nv-enc-iframeinterval-update event not pushed'),
  },
  {
    path: 'conv/srccrop',
    name: 'SRC_CROP',
    good: { src_crop: '20:20:40:50' },
    bad: [
      [
        { src_crop: '' },
        'src_crop value not parsed correctly,  Use string with values of crop location to set the property. e.g. 20:20:40:50',
      ],
      [{ src_crop: {} }, fail('SRC_CROP', 'error: Type is not convertible to string')],
    ],
    unknown: fail('SRC_CROP', 'source-crop update failed'),
    known: fail('SRC_CROP', 'source-crop update failed'),
  },
  {
    path: 'conv/destcrop',
    name: 'DEST_CROP',
    good: { dest_crop: '20:20:40:50' },
    bad: [
      [
        {},
        'dest_crop value not parsed correctly, Use string with values of crop location to set the property. e.g. 20:20:40:50',
      ],
    ],
    unknown: fail('DEST_CROP', 'dest-crop update failed'),
    known: fail('DEST_CROP', 'dest-crop update failed'),
  },
  {
    path: 'conv/flip-method',
    name: 'FLIP_METHOD',
    good: { flip_method: 7 },
    bad: [[{ flip_method: 8 }, 'flip_method value not parsed correctly, Enum value range 0-7']],
    unknown: fail('FLIP_METHOD', 'flip-method update failed'),
    known: fail('FLIP_METHOD', 'flip-method update failed'),
  },
  {
    path: 'conv/interpolation-method',
    name: 'INTERPOLATION_METHOD',
    good: { interpolation_method: 6 },
    bad: [
      [
        { interpolation_method: 7 },
        'interpolation_method value not parsed correctly, Enum value range 0-6',
      ],
    ],
    unknown: fail('INTERPOLATION_METHOD', 'interpolation-method update failed'),
    known: fail('INTERPOLATION_METHOD', 'interpolation-method update failed'),
  },
  {
    path: 'osd/process-mode',
    name: 'PROCESS_MODE',
    good: { process_mode: 9 },
    bad: [[{ process_mode: '0' }, fail('PROCESS_MODE', 'error: Value is not convertible to Int.')]],
    unknown: fail('PROCESS_MODE', 'Unable to find stream id for osd property updation'),
    known: fail('PROCESS_MODE', 'nv-osd-process-mode-update event not pushed'),
  },
];

const ROI_1 = { roi_id: '0', left: 0, top: 0, width: 4, height: 4 };

for (const { path, name, good, bad, unknown, known } of ENDPOINTS) {
  test(`${path}: every text`, async (t) => {
    const { post } = await startFacade(t);
    const ask = (fields: object) => post(`/api/v1/${path}`, { stream: fields });
    assert.equal(await ask({ stream_id: '0', ...good }), result(FAILED, unknown));
    for (const [fields, reason] of bad) {
      assert.equal(await ask({ stream_id: '0', ...fields }), result(BAD, reason));
    }
    await post('/api/v1/stream/add', sensor('add', 'a', 'rtsp://h/1'));
    const expected = known.endsWith('SUCCESS') ? result(OK, known) : result(FAILED, known);
    assert.equal(await ask({ stream_id: '0', ...good }), expected);
    assert.equal(await ask({ stream_id: '1', ...good }), result(FAILED, unknown));
    assert.equal(await ask({ stream_id: '-1', ...good }), result(FAILED, unknown));
  });

  test(`${path}: what ends NVIDIA's process is a 400 here`, async (t) => {
    const { post, orchestrator } = await startFacade(t);
    const url = `/api/v1/${path}`;
    for (const body of [['a'], { stream: 'x' }, { stream: ['x'] }, { stream: 7 }]) {
      assert.equal(await post(url, body), result(BAD, fail(name, `error: ${FIND}`)));
    }
    const needed = path.startsWith('conv/');
    for (const body of [null, {}, [], 'x', { stream: null }, { stream: {} }]) {
      const member = body !== null && typeof body === 'object' && 'stream' in body;
      const reason =
        needed && member
          ? fail(name, 'stream_id value not parsed correctly')
          : fail(name, 'error: stoi');
      assert.equal(await post(url, body), result(BAD, reason), JSON.stringify(body));
    }
    for (const id of ['abc', '99999999999', 'x1']) {
      const body = { stream: { stream_id: id, ...good } };
      assert.equal(await post(url, body), result(BAD, fail(name, 'error: stoi')), id);
    }
    const list = { stream: { stream_id: [], ...good } };
    assert.equal(
      await post(url, list),
      result(BAD, fail(name, 'error: Type is not convertible to string')),
    );
    assert.deepEqual(orchestrator.listStreams(), []);
  });
}

test('mux endpoints need no stream and are never done', async (t) => {
  const { post } = await startFacade(t);
  const push = '/api/v1/mux/batched-push-timeout';
  for (const [value, status, reason] of [
    [-1, FAILED, 'BATCHED_PUSH_TIMEOUT_UPDATE_FAIL, batched-push-timeout value not updated'],
    [
      -2,
      BAD,
      'BATCHED_PUSH_TIMEOUT_UPDATE_FAIL, batched_push_timeout value not parsed correctly,  Range: -1 - 2147483647',
    ],
    [2147483648, BAD, 'BATCHED_PUSH_TIMEOUT_UPDATE_FAIL, error: LargestInt out of Int range'],
  ] as const) {
    assert.equal(
      await post(push, { stream: { batched_push_timeout: value } }),
      result(status, reason),
    );
  }
  const latency = '/api/v1/mux/max-latency';
  assert.equal(
    await post(latency, { stream: { max_latency: 1 } }),
    result(
      FAILED,
      'MAX_LATENCY_UPDATE_FAIL, MAX_LATENCY_UPDATE_FAIL, max-latency value not updated',
    ),
  );
  assert.equal(
    await post(latency, { stream: { max_latency: 'x' } }),
    result(BAD, `MAX_LATENCY_UPDATE_FAIL, error: ${UINT}`),
  );
});

test('roi/update: every text of its parser, and a count that the list does not have', async (t) => {
  const { post } = await startFacade(t);
  const ask = (fields: unknown) => post('/api/v1/roi/update', { stream: fields });
  const error = (text: string) => result(BAD, `ROI_UPDATE_FAIL, error: ${text}`);
  const good = { stream_id: '0', roi_count: 1, roi: [ROI_1] };
  for (const [fields, expected] of [
    [{}, result(BAD, 'ROI_UPDATE_FAIL, stream_id value not parsed correctly')],
    [{ stream_id: '0' }, result(BAD, 'ROI_UPDATE_FAIL, roi id is 0')],
    [{ stream_id: '0', roi_count: 0 }, result(BAD, 'ROI_UPDATE_FAIL, roi id is 0')],
    [{ stream_id: '0', roi_count: 1 }, result(BAD, 'ROI_UPDATE_FAIL, roi is empty')],
    [{ stream_id: '0', roi_count: 1, roi: '' }, result(BAD, 'ROI_UPDATE_FAIL, roi is empty')],
    [{ ...good, roi_count: 2 }, error('roi_count is 2, and roi has 1')],
    [{ ...good, roi_count: 4294967295 }, error('roi_count is 4294967295, and roi has 1')],
    [{ ...good, roi: 'x' }, error('roi_count is 1, and roi has 0')],
    [{ ...good, roi: null }, error('roi_count is 1, and roi has 0')],
    [{ ...good, roi_count: '1' }, error(UINT)],
    [{ ...good, roi: ['x'] }, error(FIND)],
    [
      { ...good, roi: { a: 1 } },
      error('in Json::Value::operator[](ArrayIndex)const: requires arrayValue'),
    ],
    [{ ...good, roi: [{ ...ROI_1, left: -1 }] }, error('LargestInt out of UInt range')],
    [{ ...good, stream_id: 'x' }, error('stoi')],
    ['x', error(FIND)],
    [good, result(FAILED, 'ROI_UPDATE_FAIL, Unable to find stream id for ROI updation')],
  ] as const) {
    assert.equal(await ask(fields), expected, JSON.stringify(fields));
  }
  await post('/api/v1/stream/add', sensor('add', 'a', 'rtsp://h/1'));
  // The stand-in's frames have no size, so pixels mean nothing.
  assert.equal(await ask(good), result(FAILED, 'ROI_UPDATE_FAIL, nv-roi-update event not pushed'));
});

test('analytics/reload-config: no stream has analytics, and the path is not opened', async (t) => {
  const { post } = await startFacade(t);
  const ask = (fields: unknown) => post('/api/v1/analytics/reload-config', { stream: fields });
  const nothing = result(
    FAILED,
    'RELOAD_CONFIG_UPDATE_FAIL, analytics-config-update event not pushed',
  );
  assert.equal(await ask({ config_file_path: '/etc/passwd' }), nothing);
  await post('/api/v1/stream/add', sensor('add', 'a', 'rtsp://h/1'));
  assert.equal(await ask({ config_file_path: '/etc/passwd' }), nothing);
  assert.equal(
    await ask({ config_file_path: {} }),
    result(BAD, 'RELOAD_CONFIG_UPDATE_FAIL, error: Type is not convertible to string'),
  );
  assert.equal(await ask('x'), result(BAD, `RELOAD_CONFIG_UPDATE_FAIL, error: ${FIND}`));
});

test('embeddings answer with real status lines, and open no file', async (t) => {
  const { port } = await startFacade(t);
  const ask = (kind: string, body: unknown) =>
    exchange(port, request('POST', `/api/v1/generate_${kind}_embeddings`, JSON.stringify(body)));
  const error = (code: string, message: string) =>
    `{\n\t"code" : "${code}",\n\t"message" : "${message}"\n}`;
  for (const [kind, field] of [
    ['text', 'text_input'],
    ['image', 'image_path'],
  ] as const) {
    const missing = error('BadRequest', `Missing required fields: ${field} and model`);
    assert.equal(await ask(kind, {}), answer(missing, BAD));
    assert.equal(await ask(kind, { [field]: 'x' }), answer(missing, BAD));
    const what = kind === 'text' ? 'Text' : 'Image';
    const unanswered = `${what} embedding query not handled by downstream elements`;
    const full = { [field]: '/etc/passwd', model: 'm' };
    assert.equal(await ask(kind, full), answer(error('ErrorCode', unanswered), FAILED));
    assert.equal(await ask(kind, ['a']), answer(error('BadRequest', FIND), BAD));
    const wrong = error('BadRequest', 'Type is not convertible to string');
    assert.equal(await ask(kind, { [field]: {}, model: 'm' }), answer(wrong, BAD));
  }
});

test('a change is told, shown, and kept for the next worker', async (t) => {
  const { post, orchestrator } = await startFacade(t);
  await post('/api/v1/stream/add', sensor('add', 'a', 'rtsp://h/1'));
  await post('/api/v1/infer/set-interval', { stream: { stream_id: '0', interval: 4 } });
  await post('/api/v1/dec/drop-frame-interval', {
    stream: { stream_id: '0', drop_frame_interval: 3 },
  });
  assert.deepEqual(orchestrator.getStream('a').changes, {
    inferInterval: 4,
    dropFrameInterval: 3,
  });
  const told = orchestrator.events.recent().filter(({ type }) => type === 'stream.changed');
  assert.deepEqual(
    told.map((event) => [event.streamId, event['change'], event['value'], event['applied']]),
    [
      ['a', 'infer-interval', 4, true],
      ['a', 'drop-frame-interval', 3, true],
    ],
  );
});

test('a stream whose worker refuses everything says so', async (t) => {
  const { post } = await startFacade(
    t,
    { compat: 'strict' },
    { command: fakeWorker('refuse-start') },
  );
  await post('/api/v1/stream/add', sensor('add', 'a', 'rtsp://h/1'));
  // Rejected or not yet: both are answered, neither hangs.
  const reply = await post('/api/v1/infer/set-interval', { s: { stream_id: '0', interval: 1 } });
  assert.match(
    reply,
    /INFER_INTERVAL_UPDATE_(SUCCESS|FAIL, nv-infer-interval-update event not pushed)/,
  );
});
