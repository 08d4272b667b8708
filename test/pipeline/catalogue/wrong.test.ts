import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CatalogueFinding } from '../../../src/pipeline/catalogue/finding.ts';
import type { WrongCase } from './corpus.ts';
import { check, errors } from './facts.ts';
import { full } from './full.ts';
import { WRONG_FILES } from './wrong-files.ts';
import { WRONG_LINKS } from './wrong-links.ts';
import { WRONG_PROPERTIES } from './wrong-properties.ts';
import { WRONG_RULES } from './wrong-rules.ts';

const CORPUS = {
  'wrong properties': WRONG_PROPERTIES,
  'wrong links': WRONG_LINKS,
  'broken rules': WRONG_RULES,
  'wrong files': WRONG_FILES,
};

function fits(finding: CatalogueFinding, wanted: WrongCase): boolean {
  const { node, property, pointer, key, line } = wanted;
  return (
    finding.level === 'error' &&
    wanted.says.every((part) => finding.message.includes(part)) &&
    (node === undefined || finding.node === node) &&
    (property === undefined || finding.property === property) &&
    (pointer === undefined || finding.pointer === pointer) &&
    (key === undefined || finding.file?.key === key) &&
    (line === undefined || finding.file?.line === line)
  );
}

for (const [title, cases] of Object.entries(CORPUS)) {
  describe(title, () => {
    for (const wanted of cases) {
      const { name, change, platform = 'dgpu', base = full } = wanted;
      it(name, () => {
        const valid = base(platform);
        assert.deepEqual(
          errors(check(valid, platform)),
          [],
          'the pipeline it is made from is valid',
        );
        const findings = check(change(valid), platform);
        const told = errors(findings);
        assert.ok(
          findings.some((finding) => fits(finding, wanted)),
          `it must say ${wanted.says.join(' ... ')}; it says ${JSON.stringify(findings, null, 1)}`,
        );
        if (wanted.several !== true) assert.equal(told.length, 1, told.join('\n'));
      });
    }
  });
}

describe('the corpus', () => {
  it('names every case once', () => {
    for (const [title, cases] of Object.entries(CORPUS)) {
      const names = cases.map(({ name, base }) => `${name} ${base?.name ?? ''}`);
      assert.equal(new Set(names).size, names.length, title);
    }
  });
  it('has at least 80 cases', () => {
    assert.ok(Object.values(CORPUS).flat().length >= 80);
  });
});
