#!/usr/bin/env node
// `npm run demo:decoupled`: set-up, then a receiver, inference and rules as processes of their own, joined by a queue and a
// broker, and the result of a query every few seconds.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { setUpOrExit } from './setup/main.mjs';
import { ROOT } from './setup/paths.mjs';

const SERVICES = [
  { name: 'receive', port: 8081, does: 'records a camera and queues its frames' },
  { name: 'infer', port: 8082, does: 'takes frames from the queue and detects objects' },
  { name: 'react', port: 8083, does: 'makes interesting events of detections' },
];
const QUERIES = [
  `SELECT class, count(*) AS seen, count(DISTINCT object_id) AS objects, round(avg(confidence), 2) AS confidence,
    max(model_name || ' ' || model_version) AS model FROM detections_once GROUP BY class ORDER BY seen DESC LIMIT 5`,
  `SELECT camera_id, count(*) AS recorded_frames, count(DISTINCT segment_key) AS files,
    round(sum(size_bytes) / 1e6, 1) AS megabytes FROM frames_once GROUP BY camera_id`,
];
const READY_LIMIT_MS = 90_000;
const QUERY_EVERY_MS = 15_000;
const STOP_LIMIT_MS = 30_000;
const LOGS = join(ROOT, 'data', 'decoupled', 'logs');

const cli = join(ROOT, 'dist', 'cli.js');
const say = (line) => process.stdout.write(`${line}\n`);
const stop = new AbortController();
const running = [];

/** In a group of its own, so that a terminal's Ctrl-C comes once: from here. */
function start({ name }) {
  const log = openSync(join(LOGS, `${name}.log`), 'a');
  const config = join(ROOT, 'configs', 'decoupled', `${name}.yaml`);
  const child = spawn(process.execPath, [cli, name, '--config', config], {
    ...{ detached: true, stdio: ['ignore', log, log] },
  });
  running.push({ name, child });
  child.on('error', (error) => fail(`Cannot start ${name}: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (!stop.signal.aborted) fail(`${name} ended (${signal ?? code}): see ${LOGS}/${name}.log`);
  });
}

function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
  stop.abort();
}

async function isReady(port) {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}

async function untilReady({ name, port }) {
  const deadline = performance.now() + READY_LIMIT_MS;
  while (!stop.signal.aborted && !(await isReady(port))) {
    if (performance.now() > deadline) return fail(`${name} is not ready: see ${LOGS}/${name}.log`);
    await delay(200, undefined, { signal: stop.signal }).catch(() => undefined);
  }
}

/** What `sightline query` prints. */
async function query(sql) {
  const config = join(ROOT, 'configs', 'decoupled', 'query.yaml');
  say(`\n$ sightline query "${sql}"`);
  const child = spawn(process.execPath, [cli, 'query', sql, '--config', config], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await once(child, 'exit');
}

async function newestEvents() {
  const answer = await fetch('http://127.0.0.1:8083/v1/rule-events?limit=3').catch(() => undefined);
  if (answer?.ok !== true) return;
  const { items } = await answer.json();
  for (const { time, rule, type, streamId, objects, count } of items) {
    say(`  ${time} ${rule} (${type}) on ${streamId}: ${count ?? objects.length} objects`);
  }
}

await setUpOrExit('run');
mkdirSync(LOGS, { recursive: true });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop.abort());

for (const service of SERVICES) {
  if (stop.signal.aborted) break;
  start(service);
  await untilReady(service);
  if (!stop.signal.aborted)
    say(`  ${service.name.padEnd(8)} http://127.0.0.1:${service.port}/  ${service.does}`);
}
say('  Ctrl-C ends it. The first detections can be queried some 20 seconds from now.');
while (!stop.signal.aborted) {
  await delay(QUERY_EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
  if (stop.signal.aborted) break;
  for (const sql of QUERIES) await query(sql.replace(/\s+/g, ' '));
  say('newest events:');
  await newestEvents();
}

// The last first: what a service sends is taken until it has sent all.
for (const { child } of running.reverse()) {
  if (child.exitCode !== null || child.signalCode !== null) continue;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await gone;
  clearTimeout(limit);
}
process.exit();
