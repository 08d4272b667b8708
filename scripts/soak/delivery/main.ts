// `npm run soak:delivery`: what delivery promises, under faults that take longer than a test may. Every other file of this
// folder is a scenario: its default export runs it. `-- sink-down clock` runs some, `--minutes 2` says how long the
// timed ones go on (default 10). Ends with 1 when one of them finds its claim violated.
import { readdirSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Cleanup } from '../../../test/support/cleanup.ts';
import type { Soak } from '../report.ts';

/** One long run, as any soak; what it starts ends with `context`, last first. */
export type DeliverySoak = (
  options: Parameters<Soak>[0] & { readonly context: Cleanup },
) => Promise<void>;

const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'main.ts')
  .map((file) => file.slice(0, -'.ts'.length))
  .sort();

async function run(name: string, minutes: number): Promise<void> {
  const work: (() => unknown)[] = [];
  const { default: scenario } = (await import(`./${name}.ts`)) as { default: DeliverySoak };
  try {
    await scenario({
      minutes,
      print: (line) => console.log(`  ${line}`),
      context: { after: (end) => work.push(end) },
    });
    console.log(`  ${name}: held`);
  } catch (error) {
    console.log(`  ${name}: VIOLATED: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  } finally {
    for (const end of work.reverse()) await end();
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '10' } },
});
const unknown = positionals.filter((name) => !names.includes(name));
const minutes = Number(values.minutes);
if (unknown.length > 0 || !(minutes > 0)) {
  console.error(`Usage: npm run soak:delivery [-- ${names.join('|')}] [--minutes N]`);
  process.exit(2);
}
console.log(`${availableParallelism()} cores, Node ${process.version}`);
for (const name of positionals.length === 0 ? names : positionals) {
  console.log(`\n=== ${name} (load ${loadavg()[0]!.toFixed(2)}, ${new Date().toISOString()})`);
  await run(name, minutes);
}
