import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../src/common/secret.ts';
import { JsonLineReader, TextLineReader } from '../../src/control/json-lines.ts';
import { redactText, Scrubber, secretsOfGraphs } from '../../src/control/scrubber.ts';
import { sealSpec, unsealSpec } from '../../src/control/sealed-spec.ts';
import { graphOf } from './support.ts';

test('JSON lines are cut wherever the chunks end', () => {
  const bytes = Buffer.from('{"a":"é"}\n{"b":2}\n{"c"');
  for (let size = 1; size <= bytes.length; size++) {
    const reader = new JsonLineReader();
    const values: unknown[] = [];
    for (let start = 0; start < bytes.length; start += size) {
      values.push(...reader.push(bytes.subarray(start, start + size)));
    }
    assert.deepEqual(values, [{ a: 'é' }, { b: 2 }]);
  }
});

test('a JSON line over the bound is refused before it is held', () => {
  const reader = new JsonLineReader(8);
  assert.deepEqual([...reader.push(Buffer.from('"12345"\n"123'))], ['12345']);
  assert.throws(() => [...reader.push(Buffer.from('45678'))], /more than 8 bytes/);
});

test('text lines are cut, split when too long, and the last one needs no end', () => {
  const reader = new TextLineReader(4);
  const lines = [
    ...reader.push(Buffer.from('one\n\nfourfive')),
    ...reader.push(Buffer.from('\nx')),
  ];
  assert.deepEqual([...lines, ...reader.end()], ['one', 'four', 'five', 'x']);
});

test('credentials in URLs are masked wherever a URL stands', () => {
  assert.equal(
    redactText('from rtsp://a:p@ss@h:554/x and http://u@h/?token=T0K&x=1, or not'),
    'from rtsp://***@h:554/x and http://***@h/?token=***&x=1, or not',
  );
  assert.equal(
    redactText('rtsp://h/user=admin&password=abc&channel=1'),
    'rtsp://h/user=admin&password=***&channel=1',
  );
  assert.equal(redactText('mail a@b, C:\\x, http://h/@me'), 'mail a@b, C:\\x, http://h/@me');
});

test('known secrets are masked in every spelling, and short ones do not eat words', () => {
  const location = 'rtsp://u:p%40ss%20word@h/live';
  const scrubber = new Scrubber(secretsOfGraphs([graphOf('cam', { location })]));
  assert.equal(scrubber.text('pass p@ss word or p%40ss%20word'), 'pass *** or ***');
  assert.equal(scrubber.text(`at ${location}!`), 'at rtsp://***@h/live!');
  assert.deepEqual(scrubber.json({ a: ['p@ss word', 1, null] }), { a: ['***', 1, null] });
  assert.equal(new Scrubber(['it']).text('it is'), 'it is');
});

test('a sealed spec shows no secret and can be put together again', () => {
  const spec = {
    id: 'cam',
    source: { type: 'rtsp', url: 'rtsp://u:p@h/1', 'odd/key~': { password: 'x' } },
    list: [{ token: 'abc' }, 'plain', 3, true, null],
    secret: new Secret('hidden'),
  };
  const sealed = sealSpec(spec);
  assert.deepEqual(sealed.open, {
    id: 'cam',
    source: { type: 'rtsp', url: 'rtsp://***@h/1', 'odd/key~': { password: '***' } },
    list: [{ token: '***' }, 'plain', 3, true, null],
    secret: '***',
  });
  assert.deepEqual(unsealSpec(sealed), { ...spec, secret: 'hidden' });
});
