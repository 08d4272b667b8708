import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '../../src/common/errors.ts';
import type { ErrorDomain, IssueEvent } from '../../src/gst/events.ts';
import { codeOfIssue, errorOfIssue, mayBeExplained } from '../../src/gst/native-error.ts';
import type { Role } from '../../src/pipeline/graph.ts';
import { graph, node } from './graphs.ts';

function issue(domain: ErrorDomain, code: number, fields?: Record<string, unknown>): IssueEvent {
  return {
    type: 'error',
    node: 'n',
    element: 'inner0',
    factory: 'f',
    domain,
    code,
    message: 'Text that decides nothing.',
    debug: null,
    details: fields === undefined ? null : { name: 'details', fields },
  };
}

const TABLE: readonly [Role | undefined, ErrorDomain, number, ErrorCode][] = [
  ['source', 'resource', 15, 'SL_SOURCE_UNAUTHORIZED'],
  ['source', 'resource', 3, 'SL_SOURCE_NOT_FOUND'],
  ['source', 'resource', 5, 'SL_SOURCE_UNREACHABLE'],
  ['source', 'resource', 7, 'SL_SOURCE_UNREACHABLE'],
  ['source', 'resource', 9, 'SL_SOURCE_BROKEN'],
  ['source', 'resource', 13, 'SL_SOURCE_BROKEN'],
  ['parse', 'stream', 4, 'SL_SOURCE_NOT_VIDEO'],
  ['parse', 'stream', 5, 'SL_SOURCE_NOT_VIDEO'],
  ['parse', 'stream', 6, 'SL_SOURCE_UNSUPPORTED'],
  ['parse', 'core', 12, 'SL_SOURCE_UNSUPPORTED'],
  ['decode', 'stream', 7, 'SL_SOURCE_BROKEN'],
  ['depayload', 'stream', 11, 'SL_SOURCE_BROKEN'],
  ['source', 'stream', 1, 'SL_SOURCE_BROKEN'],
  ['source', 'library', 1, 'SL_PIPELINE_FAILED'],
  ['infer', 'resource', 3, 'SL_MODEL_NOT_FOUND'],
  ['infer', 'resource', 9, 'SL_MODEL_INVALID'],
  ['infer', 'library', 5, 'SL_MODEL_INVALID'],
  ['infer', 'stream', 5, 'SL_MODEL_INVALID'],
  ['infer', 'library', 1, 'SL_PIPELINE_FAILED'],
  ['infer', 'core', 1, 'SL_PIPELINE_FAILED'],
  ['infer', 'library', 3, 'SL_BACKEND_UNSUPPORTED'],
  ['infer', 'stream', 1, 'SL_PIPELINE_FAILED'],
  ['metadata', 'resource', 3, 'SL_PIPELINE_FAILED'],
  [undefined, 'resource', 3, 'SL_PIPELINE_FAILED'],
];
for (const [role, domain, code, expected] of TABLE) {
  test(`${domain} ${code} of a node with role ${role} is ${expected}`, () => {
    assert.equal(codeOfIssue(issue(domain, code), role), expected);
  });
}

const STATUSES: readonly [number, ErrorCode][] = [
  [401, 'SL_SOURCE_UNAUTHORIZED'],
  [403, 'SL_SOURCE_UNAUTHORIZED'],
  [404, 'SL_SOURCE_NOT_FOUND'],
  [454, 'SL_SOURCE_NOT_FOUND'],
  [461, 'SL_SOURCE_UNSUPPORTED'],
  [400, 'SL_SOURCE_BROKEN'],
  [503, 'SL_SOURCE_UNREACHABLE'],
];
for (const [status, expected] of STATUSES) {
  test(`RTSP status ${status} is ${expected}, whatever number GStreamer gives it`, () => {
    const refusal = issue('resource', 9, { 'rtsp-status-code': status });
    assert.equal(codeOfIssue(refusal, 'source'), expected);
  });
}

test('a code of our own in the details counts more than anything else', () => {
  const own = issue('core', 1, { 'sl-code': 'SL_SOURCE_UNSUPPORTED' });
  assert.equal(codeOfIssue(own, 'metadata'), 'SL_SOURCE_UNSUPPORTED');
  const foreign = issue('core', 1, { 'sl-code': 'toString' });
  assert.equal(codeOfIssue(foreign, 'metadata'), 'SL_PIPELINE_FAILED');
});

test('errorOfIssue() finds the role of nodes in dynamic chains', () => {
  const decoder = { caps: 'video/x-h264', chain: [node('n', 'f', 'decode')] };
  const choices = [{ from: 'a', to: 'b', alternatives: [decoder] }];
  const error = errorOfIssue(issue('stream', 7), graph('g', [], { choices }));
  assert.equal(error.code, 'SL_SOURCE_BROKEN');
  assert.equal(error.details['element'], 'inner0');
});

test('only an rtspsrc that could not open, without a status, may be explained by a second error', () => {
  const vague = { ...issue('resource', 5), factory: 'rtspsrc' };
  assert.equal(mayBeExplained(vague), true);
  assert.equal(mayBeExplained({ ...vague, factory: 'filesrc' }), false);
  assert.equal(mayBeExplained({ ...vague, code: 3 }), false);
  const withStatus = issue('resource', 5, { 'rtsp-status-code': 503 });
  assert.equal(mayBeExplained({ ...withStatus, factory: 'rtspsrc' }), false);
});
