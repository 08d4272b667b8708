import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../../src/common/paths.ts';
import type { Catalogue } from '../../../src/pipeline/catalogue/catalogue.ts';
import { checkLowered } from '../../../src/pipeline/catalogue/check.ts';
import type { CatalogueFinding } from '../../../src/pipeline/catalogue/finding.ts';
import type { KeyTables } from '../../../src/pipeline/catalogue/keys.ts';
import type { Lowered } from '../../../src/pipeline/graph.ts';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(join(ROOT, 'configs/deepstream', name), 'utf8'));

export const CATALOGUE = read('catalogue-9.1.json') as Catalogue;
export const KEYS = read('keys-9.1.json') as KeyTables;

export function check(lowered: Lowered, platform = 'dgpu'): CatalogueFinding[] {
  return checkLowered(lowered, { catalogue: CATALOGUE, keys: KEYS, platform, deepstream: '9.1' });
}

export function errors(findings: readonly CatalogueFinding[]): string[] {
  return findings.filter(({ level }) => level === 'error').map(({ message }) => message);
}
