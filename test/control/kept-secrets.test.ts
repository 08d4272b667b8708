import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SightlineError } from '../../src/common/errors.ts';
import { withKeptSecrets } from '../../src/control/desired/kept-secrets.ts';
import { sealSpec } from '../../src/control/sealed-spec.ts';
import type { JsonObject } from '../../src/control/types.ts';

const KEPT: JsonObject = {
  id: 'yard',
  streams: [
    { id: 'a', source: { url: 'rtsp://root:a-pass@10.0.0.1/live' } },
    { id: 'b', source: { url: 'rtsp://10.0.0.2:8554/live?user=x&password=b-pass&n=1' } },
  ],
  sink: { password: 'sink-pass' },
};
const SHOWN = sealSpec(KEPT).open;

function problemsOf(spec: JsonObject, kept: JsonObject = KEPT): readonly string[] {
  try {
    withKeptSecrets(spec, kept, 'it');
  } catch (error) {
    assert.ok(error instanceof SightlineError);
    assert.equal(error.code, 'SL_SPEC_INVALID');
    assert.ok(!JSON.stringify([error.message, error.problems]).includes('-pass'));
    return error.problems.map(({ pointer }) => pointer);
  }
  return [];
}

test('what was shown, sent back, is what is kept; also in another order', () => {
  assert.deepEqual(withKeptSecrets(SHOWN, KEPT, 'it'), KEPT);
  const [a, b] = SHOWN['streams'] as readonly JsonObject[];
  const turned = withKeptSecrets({ ...SHOWN, streams: [b!, a!] }, KEPT, 'it');
  assert.deepEqual((turned['streams'] as JsonObject[]).toReversed(), KEPT['streams']);
});

test('another path on the same host keeps the credentials', () => {
  const edited = (url: string) => ({ id: 'yard', streams: [{ id: 'a', source: { url } }] });
  assert.deepEqual(withKeptSecrets(edited('rtsp://***@10.0.0.1/sub?x=1'), KEPT, 'it'), {
    id: 'yard',
    streams: [{ id: 'a', source: { url: 'rtsp://root:a-pass@10.0.0.1/sub?x=1' } }],
  });
  const url = 'rtsp://10.0.0.2:8554/other?password=***';
  assert.deepEqual(withKeptSecrets({ streams: [{ id: 'b', source: { url } }] }, KEPT, 'it'), {
    streams: [{ id: 'b', source: { url: 'rtsp://10.0.0.2:8554/other?password=b-pass' } }],
  });
});

test('credentials are not sent to another host, and a mask without a secret is refused', () => {
  const at = (id: string, url: string) => ({ streams: [{ id, source: { url } }] });
  for (const spec of [
    at('a', 'rtsp://***@10.0.0.9/live'),
    at('a', 'rtsp://***@10.0.0.1:8554/live'),
    at('a', 'rtsps://***@10.0.0.1/live'),
    at('b', 'rtsp://evil/live?password=***'),
    at('b', 'rtsp://10.0.0.2:8554/live?token=***'),
    at('c', 'rtsp://***@10.0.0.1/live'),
  ]) {
    assert.deepEqual(problemsOf(spec), ['/streams/0/source/url'], JSON.stringify(spec));
  }
  assert.deepEqual(problemsOf({ sink: { password: '***' } }, {}), ['/sink/password']);
  assert.deepEqual(problemsOf({ name: 'a *** b', note: '***' }), []);
});
