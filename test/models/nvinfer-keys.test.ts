import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { CLASS_KEYS, type NvinferKey, PROPERTY_KEYS } from './nvinfer-reader.ts';

/** A key as the native reader lists it. */
interface OurKey {
  readonly name: string;
  readonly type: string;
  readonly default: string | null;
  readonly scope: 'all' | 'detector' | 'classifier';
}

const TOOL = join(ROOT, 'build-native', 'bin', 'infer_keys');

function ourKeys() {
  assert.ok(existsSync(TOOL), `${TOOL} is missing: \`npm test\` builds it`);
  return JSON.parse(execFileSync(TOOL, { encoding: 'utf8' })) as {
    honoured: OurKey[];
    withoutEffect: OurKey[];
    refused: string[];
    honouredClassAttrs: OurKey[];
    refusedClassAttrs: string[];
  };
}

function compare(ours: readonly OurKey[], theirs: Readonly<Record<string, NvinferKey>>): void {
  for (const key of ours) {
    const theirKey = theirs[key.name];
    assert.ok(theirKey !== undefined, `nvinfer has no key ${key.name}`);
    assert.equal(key.type, theirKey.type, `type of ${key.name}`);
    if (theirKey.default === undefined) assert.equal(key.default, null, key.name);
    else if (typeof theirKey.default === 'string') assert.equal(key.default, theirKey.default);
    else {
      assert.notEqual(key.default, null, key.name);
      assert.equal(Number(key.default), theirKey.default, `default of ${key.name}`);
    }
  }
}

test('each key that slinfer and slclassify take exists in nvinfer with the same type and default', () => {
  const { honoured, withoutEffect, honouredClassAttrs } = ourKeys();
  compare([...honoured, ...withoutEffect], PROPERTY_KEYS);
  compare(honouredClassAttrs, CLASS_KEYS);
});

test('every other key of nvinfer is refused by name, and no key that nvinfer lacks is known', () => {
  const { honoured, withoutEffect, refused, honouredClassAttrs, refusedClassAttrs } = ourKeys();
  const properties = [...honoured, ...withoutEffect].map(({ name }) => name).concat(refused);
  assert.deepEqual(properties.sort(), Object.keys(PROPERTY_KEYS).sort());
  const classes = honouredClassAttrs.map(({ name }) => name).concat(refusedClassAttrs);
  assert.deepEqual(classes.sort(), Object.keys(CLASS_KEYS).sort());
});

/** First cells of the rows of the table below a line of the document. */
function tableAfter(text: string, line: string): string[][] {
  const at = text.indexOf(line);
  assert.notEqual(at, -1, line);
  const rows = text.slice(at).split('\n\n')[1]!.split('\n').slice(2);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test('docs/models.md lists the same keys, and for whom each is', () => {
  const { honoured, withoutEffect, honouredClassAttrs } = ourKeys();
  const text = readFileSync(join(ROOT, 'docs', 'models.md'), 'utf8');
  const words = { all: 'both', detector: 'detectors', classifier: 'classifiers' };
  assert.deepEqual(
    tableAfter(text, 'Honoured on the CPU:')
      .map(([key, who]) => `${key} ${who}`)
      .sort(),
    honoured.map(({ name, scope }) => `\`${name}\` ${words[scope]}`).sort(),
  );
  assert.deepEqual(
    tableAfter(text, 'says so once').map(([key]) => key),
    withoutEffect.map(({ name }) => `\`${name}\``),
  );
  for (const { name } of honouredClassAttrs) assert.ok(text.includes(`\`${name}\``), name);
});
