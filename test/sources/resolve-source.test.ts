import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { checkValue, type ValueProblem } from '../../src/common/check.ts';
import {
  isLive,
  locationWithCredentials,
  resolveSource,
} from '../../src/sources/resolve-source.ts';
import { Source } from '../../src/sources/specs.ts';

function resolved(value: unknown): {
  source: ReturnType<typeof resolveSource>;
  problems: string[];
} {
  const problems: ValueProblem[] = [];
  const source = resolveSource(checkValue(value, Source), '/source', problems);
  return { source, problems: problems.map((p) => `${p.pointer} ${p.message}`) };
}

test('resolveSource() splits the credentials off and never prints the password', () => {
  const { source } = resolved({ type: 'rtsp', url: 'rtsp://u:hunter2@h/x' });
  assert.ok(source?.type === 'rtsp');
  assert.equal(source.location, 'rtsp://h/x');
  assert.equal(source.username, 'u');
  assert.equal(source.password?.reveal(), 'hunter2');
  assert.equal(source.transport, 'tcp');
  assert.equal(source.latencyMs, 200);
  assert.doesNotMatch(inspect(source, { depth: 9 }) + JSON.stringify(source), /hunter2/);
});

test('resolveSource() takes credentials beside the URL', () => {
  const { source } = resolved({ type: 'rtsp', url: 'rtsp://h/x', username: 'u', password: 'p' });
  assert.ok(source?.type === 'rtsp');
  assert.equal(source.password?.reveal(), 'p');
});

test('resolveSource() refuses credentials in two places and a password without a user', () => {
  assert.deepEqual(resolved({ type: 'rtsp', url: 'rtsp://u:p@h/x', password: 'q' }).problems, [
    '/source/url holds a user, and "username" or "password" is given too: use one of the two',
  ]);
  assert.deepEqual(resolved({ type: 'rtsp', url: 'rtsp://h/x', password: 'q' }).problems, [
    '/source "password" is given without "username"',
  ]);
});

test('resolveSource() names the URL that is not acceptable without quoting it', () => {
  assert.deepEqual(resolved({ type: 'rtsp', url: 'http://u:hunter2@h/' }).problems, [
    '/source/url must begin with rtsp:// or rtsps://',
  ]);
});

test('resolveSource() takes web addresses with credentials in them or beside them', () => {
  const { source } = resolved({ type: 'http', url: 'https://u:hunter2@h/v.mp4' });
  assert.ok(source?.type === 'http');
  assert.equal(source.location, 'https://h/v.mp4');
  assert.equal(source.password?.reveal(), 'hunter2');
  assert.doesNotMatch(inspect(source, { depth: 9 }) + JSON.stringify(source), /hunter2/);
  assert.equal(locationWithCredentials(source), 'https://u:hunter2@h/v.mp4');
  assert.equal(isLive(source), false);
  assert.deepEqual(resolved({ type: 'http', url: 'rtsp://u:hunter2@h/' }).problems, [
    '/source/url must begin with http:// or https://',
  ]);
});

test('resolveSource() refuses NUL in a path', () => {
  assert.deepEqual(resolved({ type: 'file', path: 'a\0b' }).problems, [
    '/source/path holds a NUL character',
  ]);
});

test('isLive() is true for cameras and for files played in real time', () => {
  const live = (value: unknown) => isLive(resolved(value).source!);
  assert.equal(live({ type: 'rtsp', url: 'rtsp://h/x' }), true);
  assert.equal(live({ type: 'file', path: 'x' }), false);
  assert.equal(live({ type: 'file', path: 'x', pace: 'realtime' }), true);
});
