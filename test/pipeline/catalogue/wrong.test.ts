import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CatalogueFinding } from '../../../src/pipeline/catalogue/finding.ts';
import type { WrongCase } from './corpus.ts';
import { check, errors } from './facts.ts';
import { full } from './full.ts';
import { WRONG_ANALYTICS_FILES } from './wrong/analytics-files.ts';
import { WRONG_BATCHES } from './wrong/batches.ts';
import { WRONG_CAPS } from './wrong/caps.ts';
import { WRONG_HARDWARE } from './wrong/hardware.ts';
import { WRONG_METADATA } from './wrong/metadata.ts';
import { WRONG_MODELS } from './wrong/models.ts';
import { WRONG_MUXER_FILES } from './wrong/muxer-files.ts';
import { WRONG_NAMES } from './wrong/names.ts';
import { WRONG_NVINFER_FILES } from './wrong/nvinfer-files.ts';
import { WRONG_PADS } from './wrong/pads.ts';
import { WRONG_PLATFORMS } from './wrong/platforms.ts';
import { WRONG_SOURCES } from './wrong/sources.ts';
import { WRONG_TRACKER_FILES } from './wrong/tracker-files.ts';
import { WRONG_TRITON_FILES } from './wrong/triton-files.ts';
import { WRONG_VALUES } from './wrong/values.ts';

const CORPUS = {
  'analytics files': WRONG_ANALYTICS_FILES,
  batches: WRONG_BATCHES,
  caps: WRONG_CAPS,
  hardware: WRONG_HARDWARE,
  metadata: WRONG_METADATA,
  models: WRONG_MODELS,
  'muxer files': WRONG_MUXER_FILES,
  names: WRONG_NAMES,
  'nvinfer files': WRONG_NVINFER_FILES,
  pads: WRONG_PADS,
  platforms: WRONG_PLATFORMS,
  sources: WRONG_SOURCES,
  'tracker files': WRONG_TRACKER_FILES,
  'triton files': WRONG_TRITON_FILES,
  values: WRONG_VALUES,
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
  describe(`wrong ${title}`, () => {
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
