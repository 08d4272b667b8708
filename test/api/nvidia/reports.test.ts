import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../support/wait.ts';
import { answer, exchange, request } from './raw.ts';
import { sensor, startFacade } from './support.ts';

const TEXT = ['Accept: text/plain'];
const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

const body = (member: string, name: string, value: string, reason: string) =>
  [
    ...(member < 'reason' ? [`{\n\t"${member}" : \n\t{\n\t\t"${name}" : "${value}"\n\t},`] : ['{']),
    `\t"reason" : "${reason}",`,
    ...(member < 'reason' ? [] : [`\t"${member}" : \n\t{\n\t\t"${name}" : "${value}"\n\t},`]),
    '\t"status" : "HTTP/1.1 200 OK"\n}',
  ].join('\n');

const gauge = (name: string, help: string, metric: string, value: number) =>
  `# HELP ${name} ${help} from ds\n# TYPE ${name} gauge\n${name}{app_name="ds",metric_name="${metric}"} ${value}\n`;

test('live, ready, startup and the ready state, as JSON and for Prometheus, to the byte', async (t) => {
  let ready = true;
  const { port } = await startFacade(t, { notReadyBecause: () => (ready ? [] : ['full']) });
  const get = (path: string, headers: readonly string[] = []) =>
    exchange(port, request('GET', path, undefined, headers));
  for (const prefix of ['', '/api/v1']) {
    assert.equal(
      await get(`${prefix}/live`),
      answer(body('live-info', 'ds-liveness', 'YES', 'GET_LIVE_INFO_SUCCESS')),
    );
    assert.equal(
      await get(`${prefix}/ready`),
      answer(body('ready-info', 'ds-ready', 'YES', 'GET_READY_INFO_SUCCESS')),
    );
    assert.equal(
      await get(`${prefix}/startup`),
      answer(body('startup-info', 'ds-startup', 'YES', 'GET_STARTUP_INFO_SUCCESS')),
    );
    for (const [path, name, help, metric] of [
      ['live', 'live_metrics', 'Live metrics', 'ds_liveness'],
      ['ready', 'ready_metrics', 'Ready metrics', 'ds_ready'],
      ['startup', 'startup_metrics', 'Startup metrics', 'ds_startup'],
    ] as const) {
      const expected = answer(gauge(name, help, metric, 1), '200 OK', PROMETHEUS);
      assert.equal(await get(`${prefix}/${path}`, TEXT), expected);
    }
  }
  const state = (value: string) =>
    answer(body('health-info', 'ds-ready', value, 'GET_READY_INFO_SUCCESS'));
  const path = '/api/v1/health/get-dsready-state';
  assert.equal(await get(path), state('YES'));
  ready = false;
  // It has no form for Prometheus.
  assert.equal(await get(path, TEXT), state('NO'));
  assert.equal(
    await get('/ready'),
    answer(body('ready-info', 'ds-ready', 'NO', 'GET_READY_INFO_SUCCESS')),
  );
});

test('metrics without a stream say so, with figures of the machine', async (t) => {
  const { get } = await startFacade(t);
  const text = await get('/api/v1/metrics');
  assert.match(
    text,
    /^\{\n\t"metrics-info" : \n\t\{\n\t\t"stream-count" : 0,\n\t\t"stream-stats" : \[\],\n\t\t"system-stats" : \n\t\t\{\n\t\t\t"GPU_gb" : 0\.0,\n\t\t\t"RAM_gb" : \d+\.\d+,\n\t\t\t"cpu_util" : \d+\.\d+,\n\t\t\t"gpu_util" : 0\.0\n\t\t\}\n\t\},\n\t"reason" : "GET_METRICS_INFO_SUCCESS - No data available",\n\t"status" : "HTTP\/1\.1 200 OK"\n\}$/,
  );
});

test('metrics of a stream, as JSON and for Prometheus; labels are escaped', async (t) => {
  const { get, post, orchestrator } = await startFacade(t);
  const name = { camera_name: 'a "b"\\\nc' };
  await post('/api/v1/stream/add', sensor('add', 'Cam', 'rtsp://h/1', name));
  await until('frames', 5_000, () => {
    const { fps, latencyMs } = orchestrator.listStreams()[0]!.status;
    return latencyMs !== undefined && fps.decoded > 0;
  });
  const { 'metrics-info': info } = JSON.parse(await get('/api/v1/metrics')) as {
    'metrics-info': { 'stream-stats': Record<string, unknown>[]; 'stream-count': number };
  };
  const { 'stream-stats': stats, 'stream-count': count } = info;
  assert.equal(count, 1);
  const { frame_number: frame, ...rest } = stats[0]!;
  assert.ok(Number(frame) >= 0);
  assert.deepEqual(rest, {
    fps: 0,
    latency_ms: 20,
    sensor_id: 'Cam',
    sensor_name: name.camera_name,
    source_id: 0,
  });
  const text = await get('/api/v1/metrics', TEXT);
  const labels = 'sensor_id="Cam",sensor_name="a \\"b\\"\\\\\\nc",source_id="0"';
  assert.ok(
    text.includes(
      `# HELP latency_metrics Latency metrics from ds\n# TYPE latency_metrics gauge\nlatency_metrics{app_name="ds",metric_name="stream_latency_ms",${labels}} 20\n`,
    ),
    text,
  );
  assert.ok(text.includes(gauge('stream_count', 'Stream count', 'stream_count', 1)));
  for (const family of ['fps', 'frame_number', 'memory', 'utilization']) {
    assert.ok(text.includes(`# TYPE ${family}_metrics gauge\n`), family);
  }
  assert.equal(
    await get('/api/v1/stream/get-stream-info', TEXT),
    gauge('total_stream_count', 'Stream info count', 'total_stream_count', 1),
  );
});

test('no header redirects an export, and metadata has its shape', async (t) => {
  const { get } = await startFacade(t);
  const headers = ['X-OTLP-URL: http://169.254.169.254/', 'X-Refresh-Period: 1'];
  assert.match(await get('/api/v1/metrics', headers), /"metrics-info"/);
  assert.equal(
    await get('/api/v1/metadata'),
    '{\n\t"licenseInfo" : \n\t{\n\t\t"name" : "Apache-2.0",\n\t\t"path" : "LICENSE",\n\t\t"url" : "https://www.apache.org/licenses/LICENSE-2.0"\n\t},\n\t"sub-version" : "",\n\t"version" : "1.0.0"\n}',
  );
});
