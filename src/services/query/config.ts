import { Type } from 'typebox';
import { loadDocument } from '../../common/document.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { QUERY_DEFAULTS } from '../config/query.ts';
import { loadInferConfig } from '../infer/config.ts';

/** What a query needs of a configuration. */
export interface QueryPlaces {
  readonly config: Pick<LoadedConfig['config'], 'sinks' | 'query'>;
  readonly baseDir: string;
}

/**
 * Reads the configuration of a server, or that of `sightline infer`, which has a queue, and the defaults of `query`.
 * @throws SightlineError `SL_CONFIG_INVALID` with every problem and its line
 */
export async function loadQueryPlaces(file: string): Promise<QueryPlaces> {
  const { value } = await loadDocument(file, Type.Unknown(), { code: 'SL_CONFIG_INVALID' });
  if (typeof value !== 'object' || value === null || !('queue' in value)) return loadConfig(file);
  const { config, baseDir } = await loadInferConfig(file);
  return { config: { sinks: config.sinks, query: QUERY_DEFAULTS }, baseDir };
}
