import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { checkValue } from '../../src/common/check.ts';
import { ROOT } from '../../src/common/paths.ts';
import { decodeMessage } from '../../src/consumer/index.ts';
import { ServerConfig } from '../../src/services/config/server.ts';
import { SINK_TYPES } from '../../src/sinks/specs.ts';

const DOCS = join(ROOT, 'docs');
const SINKS = join(DOCS, 'sinks');

/** The code blocks of a language, with the line they begin at. */
function blocks(file: string, language: string): { text: string; where: string }[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    (found) => ({
      text: found[1]!,
      where: `${file.slice(ROOT.length + 1)}:${text.slice(0, found.index).split('\n').length}`,
    }),
  );
}

const pages = readdirSync(SINKS).map((name) => join(SINKS, name));

test('every page of a sink shows a configuration that works', () => {
  for (const file of [...pages, join(DOCS, 'formats.md')]) {
    let sinks = 0;
    for (const { text, where } of blocks(file, 'yaml')) {
      const document = { dataDir: './data', ...(parse(text) as object) };
      sinks += checkValue(document, ServerConfig, { subject: where }).sinks.length;
    }
    assert.ok(sinks > 0, `${file} shows no sink`);
  }
});

test('every type of sink has a page', () => {
  const without = SINK_TYPES.filter((type) => !existsSync(join(SINKS, `${type}.md`)));
  assert.deepEqual(without, []);
});

test('the sample messages of docs/formats.md are messages', () => {
  const samples = blocks(join(DOCS, 'formats.md'), 'json');
  assert.ok(samples.length >= 5);
  for (const { text, where } of samples) assert.equal(decodeMessage(text).length, 1, where);
});
