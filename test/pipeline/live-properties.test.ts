import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { LIVE_PROPERTIES, liveProperty } from '../../src/pipeline/live-properties.ts';

interface Entry {
  readonly properties: Readonly<
    Record<string, { readonly change?: string; readonly default?: unknown }>
  >;
}
const file = join(ROOT, 'configs', 'deepstream', 'catalogue-9.1.json');
const { elements } = JSON.parse(readFileSync(file, 'utf8')) as {
  elements: Readonly<Record<string, Entry>>;
};
const ALL = Object.entries(LIVE_PROPERTIES).flatMap(([factory, properties]) =>
  Object.entries(properties).map(([property, facts]) => ({ factory, property, facts })),
);

test('what is set while an element plays is a property of it, and ours say so themselves', () => {
  const wrong = ALL.filter(({ factory, property }) => {
    const found = elements[factory]?.properties[property];
    return found === undefined || (factory.startsWith('sl') && found.change !== 'playing');
  });
  assert.deepEqual(wrong, []);
});

test('what our elements take while they play is in the table', () => {
  const missing = Object.entries(elements)
    .filter(([factory]) => factory.startsWith('sl'))
    .flatMap(([factory, { properties }]) =>
      Object.entries(properties)
        .filter(([name, { change }]) => change === 'playing' && !liveProperty(factory, name))
        .map(([name]) => `${factory}.${name}`),
    );
  // Names of the streams are the graph's own affair: another stream is another graph.
  assert.deepEqual(missing, ['sldsmeta.streams']);
});

test('what a property is without being set is what the element says', () => {
  for (const { factory, property, facts } of ALL) {
    if (facts.otherwise === undefined) continue;
    const entry = elements[factory]!.properties[property] as {
      default: unknown;
      values?: Readonly<Record<string, unknown>>;
    };
    const otherwise = entry.values?.[String(facts.otherwise)] ?? facts.otherwise;
    assert.equal(otherwise, entry.default, `${factory}.${property}`);
  }
});
