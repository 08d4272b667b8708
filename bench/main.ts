// `npm run bench`: every benchmark, one after the other. `npm run bench -- overhead` runs one.
import { spawnSync } from 'node:child_process';
import { cpus, loadavg, release } from 'node:os';
import { fileURLToPath } from 'node:url';

const ALL = [
  'infer',
  'infer-queue',
  'outbox',
  'overhead',
  'first-metadata',
  'recovery',
  'deepstream-meta',
  'catalogue',
  'compile',
  'api-load',
  'recording',
  'prototype',
  'fleet',
  'delivery/format',
  'delivery/file',
  'delivery/mqtt',
  'delivery/kafka',
  'delivery/amqp',
  'delivery/sqs',
  'delivery/aws',
  'delivery/backlog',
];
const chosen = process.argv.slice(2).filter((name) => ALL.includes(name));
console.log(
  `${cpus()[0]?.model ?? 'unknown CPU'} x${cpus().length}, Linux ${release()}, Node ${process.version}`,
);
for (const name of chosen.length === 0 ? ALL : chosen) {
  console.log(`\n=== ${name} (load ${loadavg()[0]?.toFixed(2)})`);
  const file = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', file], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
