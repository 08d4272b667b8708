import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SightlineError } from '../common/errors.ts';
import { ROOT } from '../common/paths.ts';
import type { Catalogue } from '../pipeline/catalogue/catalogue.ts';
import type { KeyTables } from '../pipeline/catalogue/keys.ts';

/** What is known of a DeepStream version without a GPU. */
export interface DeepStreamFacts {
  readonly catalogue: Catalogue;
  readonly keys: KeyTables;
}

const FOLDER = join(ROOT, 'configs', 'deepstream');
const loaded = new Map<string, DeepStreamFacts>();

/**
 * Reads the element catalogue and the key tables of a DeepStream version ("9.1"), once a process.
 *
 * @throws SightlineError `SL_BACKEND_UNSUPPORTED` for a version Sightline has no facts of.
 */
export function deepStreamFacts(version = '9.1'): DeepStreamFacts {
  let facts = loaded.get(version);
  if (facts === undefined) {
    facts = { catalogue: read('catalogue', version), keys: read('keys', version) };
    loaded.set(version, facts);
  }
  return facts;
}

function read<T>(name: string, version: string): T {
  // The version stands in a path.
  if (!/^\d{1,3}\.\d{1,3}$/.test(version)) throw unknownVersion(version);
  try {
    return JSON.parse(readFileSync(join(FOLDER, `${name}-${version}.json`), 'utf8')) as T;
  } catch (error) {
    throw unknownVersion(version, error);
  }
}

function unknownVersion(version: string, cause?: unknown): SightlineError {
  const message = `Cannot check for DeepStream ${JSON.stringify(version.slice(0, 20))}: ${FOLDER} has no catalogue of that version`;
  return new SightlineError('SL_BACKEND_UNSUPPORTED', message, { cause });
}
