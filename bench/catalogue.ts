// What checking a DeepStream graph without a GPU costs, in time of the processor: reading the facts, and checking 16
// cameras with every branch.
import { readFileSync } from 'node:fs';
import type { Catalogue } from '../src/pipeline/catalogue/catalogue.ts';
import { checkLowered } from '../src/pipeline/catalogue/check.ts';
import type { KeyTables } from '../src/pipeline/catalogue/keys.ts';
import { lowered } from '../test/pipeline/catalogue/build.ts';
import { staticGraph } from '../test/pipeline/catalogue/canonical.ts';

const ROUNDS = 50;
const STREAMS = 16;

const read = (name: string): unknown =>
  JSON.parse(
    readFileSync(new URL(`../configs/deepstream/${name}-9.1.json`, import.meta.url), 'utf8'),
  );

function timed<T>(action: () => T): { value: T; ms: number } {
  const before = process.cpuUsage();
  const value = action();
  const { user, system } = process.cpuUsage(before);
  return { value, ms: (user + system) / 1e3 };
}

function show(what: string, times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)]!.toFixed(2);
  console.log(`${what}: ${at(0.5)} ms (${at(0)} to ${at(1)}, ${times.length} rounds)`);
}

const facts = () => ({
  catalogue: read('catalogue') as Catalogue,
  keys: read('keys') as KeyTables,
});
const first = timed(facts);
show('reading both files, first', [first.ms]);
show(
  'reading both files, again',
  Array.from({ length: ROUNDS }, () => timed(facts).ms),
);

const pipeline = lowered(staticGraph('dgpu', STREAMS));
const check = () => checkLowered(pipeline, { ...first.value, platform: 'dgpu', deepstream: '9.1' });
show(`checking ${STREAMS} streams (${pipeline.graphs[0]!.nodes.length} nodes), first`, [
  timed(check).ms,
]);
show(
  `checking ${STREAMS} streams, warm`,
  Array.from({ length: ROUNDS }, () => timed(check).ms),
);
