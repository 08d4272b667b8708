import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { launchValue, shellWord } from '../../src/pipeline/quote.ts';
import { inFolder, runShell } from './run.ts';

/** The line copies the file of this name: only a value that arrives unchanged finds it. */
function copyLine(name: string): string {
  const location = shellWord(`location=${launchValue(name)}`);
  return `gst-launch-1.0 -q filesrc ${location} ! filesink location=copy`;
}

const NAMES = [
  'plain.mp4',
  'a b',
  ' a ',
  "it's",
  '"',
  '"quoted"',
  "'",
  '\\',
  'a\\',
  '\\"',
  'a\\"',
  '\\040',
  'NULL',
  'true',
  '-x',
  '--help',
  '*',
  '~',
  'a!b',
  'x ! filesink location=y',
  'a ! fdsink fd=1',
  '! fakesink',
  '$(touch pwned)',
  '`touch pwned`',
  '$HOME',
  'a;touch pwned',
  'a&b',
  'a|b',
  'a\nb',
  '\t',
  '\r',
  '\u0001',
  'é',
  '\u202e',
  '😀',
  '(a)',
  '{a}',
  '[1]',
  '<a>',
  'a=b&c?d',
  'a,b',
  'name=a',
  'a.',
  '%u',
  '#',
];

test('a property value reaches the element unchanged through sh and gst-launch', async () => {
  await inFolder(async (folder) => {
    for (const name of NAMES) {
      await writeFile(join(folder, name), name);
      await runShell(copyLine(name), folder);
      assert.equal(await readFile(join(folder, 'copy'), 'utf8'), name);
      await rm(join(folder, name));
      await rm(join(folder, 'copy'));
    }
    await assert.rejects(readFile(join(folder, 'pwned')), { code: 'ENOENT' });
  });
});

/** A repeatable stream of numbers in [0, 1). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('random values of hostile characters reach the element unchanged', async () => {
  const random = randomNumbers(20_240_229);
  const alphabet = [
    '"',
    "'",
    '\\',
    ' ',
    '!',
    '$',
    '`',
    'a',
    '0',
    '=',
    ';',
    '\n',
    '.',
    'é',
    '(',
    ')',
  ];
  await inFolder(async (folder) => {
    for (let round = 0; round < 40; round++) {
      const length = 1 + Math.floor(random() * 12);
      const pick = () => alphabet[Math.floor(random() * alphabet.length)]!;
      const name = Array.from({ length }, pick).join('');
      if (name === '.' || name === '..' || name === 'copy') continue;
      await writeFile(join(folder, name), name);
      await runShell(copyLine(name), folder);
      assert.equal(await readFile(join(folder, 'copy'), 'utf8'), name, JSON.stringify(name));
      await rm(join(folder, name));
      await rm(join(folder, 'copy'));
    }
  });
});

test('random values never leave their quotes: sh sees one word a property', async () => {
  const random = randomNumbers(7);
  const words: string[] = [];
  for (let round = 0; round < 500; round++) {
    const length = Math.floor(random() * 20);
    const value = Array.from({ length }, () =>
      String.fromCodePoint(1 + Math.floor(random() * (round % 2 === 0 ? 126 : 0xd7ff))),
    ).join('');
    words.push(`p${round}=${launchValue(value)}`);
  }
  await inFolder(async (folder) => {
    const out = await runShell(`printf '%s\\0' ${words.map(shellWord).join(' ')}`, folder);
    assert.deepEqual(out.split('\0').slice(0, -1), words);
    // What GStreamer's lexer reads: bare, or quoted without a way to end the quote early.
    const safe =
      /^p\d+=(?:[A-Za-z0-9_./:@%+-]+|"[\x20\x21\x23-\x5b\x5d-\x7e]*"|"\\"(?:[A-Za-z0-9_./:+-]|\\\\[0-3][0-7]{2})*\\"")$/;
    for (const word of words) assert.match(word, safe);
  });
});
