import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { ROOT } from '../../src/common/paths.ts';
import { fileConfig, freePort } from '../support/config.ts';
import { answer, HttpReceiver } from '../support/http-receiver.ts';
import { type Sample, scrape, total } from '../support/scrape.ts';
import { TestServer, temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';
import { selectorsOf } from './promql.ts';

/** Names that this test's server does not have, and why. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  sightline_stream_latency_seconds: 'the stream must be live: test/e2e has one',
  outbox_records_dropped_total: 'a bound was reached: days of an outage',
  sightline_rules_lag_seconds: 'rules must have looked at a frame: test/services/rules has one',
};

interface Asked {
  readonly where: string;
  readonly expression: string;
}

const textOf = (file: string) => readFileSync(join(ROOT, 'deploy', file), 'utf8');

/** Grafana fills in its variables before Prometheus sees the expression. */
function filledIn(expression: string): string {
  return expression.replaceAll('$__rate_interval', '1m').replaceAll(/\$(stream|sink)\b/g, '.+');
}

function fromDashboard(): Asked[] {
  const { panels, templating } = JSON.parse(textOf('grafana/sightline.json')) as {
    panels: { title: string; targets?: { expr: string }[] }[];
    templating: { list: { name: string; query: string }[] };
  };
  const queries = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ where: title, expression: filledIn(expr) })),
  );
  for (const { name, query } of templating.list) {
    const values = /^label_values\((.+), (\w+)\)$/.exec(query);
    if (values === null) continue;
    queries.push({ where: `$${name}`, expression: `sum by (${values[2]}) (${values[1]})` });
  }
  return queries;
}

function fromAlerts(): Asked[] {
  const { groups } = parse(textOf('prometheus/alerts.yaml')) as {
    groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
  };
  return groups
    .flatMap(({ rules }) => rules)
    .map(({ alert, expr }) => ({ where: alert, expression: expr }));
}

/** What of the expression no sample answers to. */
function unknownIn(expression: string, samples: readonly Sample[]): string[] {
  const { selected, grouped } = selectorsOf(expression);
  const problems: string[] = [];
  const known = new Set<string>(['le']);
  for (const { name, labels } of selected) {
    if (ELSEWHERE[name] !== undefined) continue;
    const mine = samples.filter((sample) => sample.name === name);
    if (mine.length === 0) problems.push(name);
    for (const label of Object.keys(mine[0]?.labels ?? {})) known.add(label);
    for (const label of labels) {
      if (!mine.some((sample) => label in sample.labels)) problems.push(`${name}{${label}}`);
    }
  }
  for (const label of grouped) if (!known.has(label)) problems.push(`by (${label})`);
  return problems;
}

test('every query of the dashboard and every alert asks for what a server with a failing sink says', async (context) => {
  const receiver = await HttpReceiver.start(context);
  receiver.behave = answer(400);
  await using folder = await temporaryFolder();
  await using server = await TestServer.start(
    folder.path,
    fileConfig(folder.path, {
      rules: [{ id: 'person', kind: 'class-appears' }],
      fleet: { node: 'box', store: { type: 'sqlite', file: `${folder.path}/fleet.sqlite` } },
      egress: { allow: ['127.0.0.1/32'] },
      sinks: [
        {
          ...{ id: 'refuses', type: 'webhook', url: `http://127.0.0.1:${receiver.port}/` },
          kinds: ['event'],
        },
        {
          ...{ id: 'away', type: 'mqtt', url: `mqtt://127.0.0.1:${await freePort()}` },
          kinds: ['event'],
        },
      ],
    }),
  );
  const source = { type: 'rtsp', url: `rtsp://127.0.0.1:${await freePort()}/` };
  const infer = { model: 'centernet-512x384' };
  const made = await server.request('POST', '/v1/streams', { id: 'cam', source, infer });
  assert.equal(made.status, 201, await made.text());
  const samples = await until('a dead letter, and an attempt that failed', 20_000, async () => {
    const now = await scrape(server);
    const dead = total(now, 'outbox_records_dead_lettered_total', { sink: 'refuses' });
    const retried = total(now, 'outbox_retries_total', { sink: 'away' });
    return dead > 0 && retried > 0 && now;
  });
  const asked = [...fromDashboard(), ...fromAlerts()];
  assert.ok(asked.length > 40, `${asked.length} expressions`);
  const unknown = asked.flatMap(({ where, expression }) =>
    unknownIn(expression, samples).map((problem) => `${where}: ${problem}`),
  );
  assert.deepEqual(unknown, []);
  assert.throws(() => selectorsOf('sum by (sink (x)'), /Not PromQL/);
  assert.deepEqual(unknownIn('sum by (a) (nothing{b="c"})', samples).length, 3);
  const elsewhere = samples.filter(({ name }) => ELSEWHERE[name] !== undefined);
  assert.deepEqual(elsewhere, [], 'a name that is here after all');
  assert.deepEqual(
    samples.filter(({ name, value }) => name === 'outbox_conservation_error' && value !== 0),
    [],
  );
});

test('each alert is told about in docs/operations.md', () => {
  const text = readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8');
  const missing = fromAlerts().filter(({ where }) => !text.includes(`\`${where}\``));
  assert.deepEqual(missing, []);
});
