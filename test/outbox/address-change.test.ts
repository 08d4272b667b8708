import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noOwnHosts, runWithOwnHosts } from '../support/own-hosts.ts';
import { temporaryDir } from './helpers.ts';

/** Well below what a sink may take to find its server again. */
const LIMIT_MS = 30_000;

// The resolver of the system answers from a hosts file that the child changes; no sink is told of it.
test('F16: a name that is gone and then has another address is found again by every client within 30 s', {
  skip: noOwnHosts,
}, (context) => {
  const child = 'test/outbox/children-of-sinks/moved-endpoint.ts';
  const { status, stdout, stderr } = runWithOwnHosts(child, temporaryDir(context));
  assert.equal(status, 0, stderr);
  const found = JSON.parse(stdout) as Record<string, { lost: string; foundMs: number }>;
  assert.deepEqual(Object.keys(found).sort(), ['mqtt', 'sqs']);
  for (const [sink, { lost, foundMs }] of Object.entries(found)) {
    assert.equal(lost, 'SL_SINK_UNAVAILABLE', sink);
    assert.ok(foundMs < LIMIT_MS, `${sink} took ${foundMs} ms`);
  }
  context.diagnostic(stdout);
});
