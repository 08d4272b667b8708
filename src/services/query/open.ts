import { resolve } from 'node:path';
import type { QueryView } from '../../api/dependencies.ts';
import { LocalQueries } from '../../query/local.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { QueryPlaces } from './config.ts';

/** Queries over the folders of the configured file sinks that write Parquet. */
export function localQueries({ config, baseDir }: QueryPlaces): LocalQueries {
  const folders = config.sinks.flatMap((sink) =>
    sink.type === 'file' && sink.formats.includes('parquet') ? [resolve(baseDir, sink.dir)] : [],
  );
  return new LocalQueries({ folders, memoryBytes: config.query.memoryBytes });
}

/** The same for the API. */
export function openQueries(loaded: LoadedConfig): QueryView & AsyncDisposable {
  const queries = localQueries(loaded);
  const { timeoutMs } = loaded.config.query;
  return {
    run: (request, signal) => queries.run({ ...request, timeoutMs }, signal),
    [Symbol.asyncDispose]: async () => queries.close(),
  };
}
