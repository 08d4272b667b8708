import { dirname, resolve } from 'node:path';
import { problemsError, type ValueProblem } from '../../common/check.ts';
import { loadDocument } from '../../common/document.ts';
import { isLoopback } from '../../common/loopback.ts';
import { PATHS } from '../../common/paths.ts';
import { RULES_SINK_ID } from '../rules/sink-id.ts';
import { leaseProblem } from './fleet.ts';
import { recordDirOf } from './recording.ts';
import { ServerConfig } from './server.ts';

export interface LoadedConfig {
  readonly config: ServerConfig;
  /** Absolute. */
  readonly dataDir: string;
  /** Absolute. */
  readonly modelsDir: string;
  /** Folder of TensorRT engines; absolute. */
  readonly engineCacheDir: string;
  /** Where workers write recordings; absolute. Absent: nothing can be recorded. */
  readonly recordDir?: string;
  /** Folder of the file: other relative paths in it start here. */
  readonly baseDir: string;
}

interface Placed {
  readonly id: string;
  readonly pointer: string;
}

function placed(items: readonly { readonly id: string }[], pointer: string): Placed[] {
  return items.map(({ id }, index) => ({ id, pointer: `${pointer}/${index}` }));
}

/** Ids name folders, topics and lanes of the outbox: two of a kind would write over each other. */
function duplicates(items: readonly Placed[]): ValueProblem[] {
  const first = new Map<string, string>();
  return items.flatMap(({ id, pointer }) => {
    const taken = first.get(id);
    if (taken === undefined) {
      first.set(id, pointer);
      return [];
    }
    return [{ pointer: `${pointer}/id`, message: `the id "${id}" is taken by ${taken}` }];
  });
}

function findDuplicates({ sinks, pipelines, rules, inputs }: ServerConfig): ValueProblem[] {
  const streams = pipelines.flatMap((pipeline, index) =>
    placed(pipeline.streams, `/pipelines/${index}/streams`),
  );
  return [
    ...duplicates(placed(sinks, '/sinks')),
    ...duplicates(placed(rules, '/rules')),
    ...duplicates(placed(inputs, '/inputs')),
    ...duplicates(placed(pipelines, '/pipelines')),
    ...duplicates(streams),
  ];
}

/** Rules stand where a sink does, under an id of their own; and frames that nobody looks at must not be taken away. */
function findRuleProblems({ sinks, rules, inputs }: ServerConfig): ValueProblem[] {
  const taken = rules.length === 0 ? -1 : sinks.findIndex(({ id }) => id === RULES_SINK_ID);
  const clash = `the id "${RULES_SINK_ID}" belongs to the rules of this server`;
  return [
    ...(taken < 0 ? [] : [{ pointer: `/sinks/${taken}/id`, message: clash }]),
    ...(inputs.length > 0 && rules.length === 0
      ? [{ pointer: '/inputs', message: 'need "rules" that look at what comes' }]
      : []),
  ];
}

/** Whoever reaches the port could start streams to any address, and end them. */
function findOpenDoors({ nvidiaRest }: ServerConfig): ValueProblem[] {
  if (nvidiaRest === undefined || nvidiaRest.token !== undefined) return [];
  if (isLoopback(nvidiaRest.host)) return [];
  const message = 'is not loopback: that needs a "token", too';
  return [{ pointer: '/nvidiaRest/host', message }];
}

function findLeaseProblems({ fleet }: ServerConfig): ValueProblem[] {
  const message = fleet && leaseProblem(fleet);
  return message === undefined ? [] : [{ pointer: '/fleet/lease/leaseMs', message }];
}

/** Reads the file. Throws SL_CONFIG_INVALID with every problem and its line. */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  const code = 'SL_CONFIG_INVALID';
  const document = await loadDocument(file, ServerConfig, { code });
  const config = document.value;
  const problems = [
    ...findDuplicates(config),
    ...findRuleProblems(config),
    ...findOpenDoors(config),
    ...findLeaseProblems(config),
  ];
  if (problems.length > 0) throw problemsError(document.locate(problems), { code, subject: file });
  const baseDir = dirname(resolve(file));
  const dataDir = resolve(baseDir, config.dataDir);
  const { cacheDir } = config.deepstream;
  const { recording } = config;
  return {
    config,
    baseDir,
    dataDir,
    ...(recording === undefined ? {} : { recordDir: recordDirOf(recording, { baseDir, dataDir }) }),
    engineCacheDir:
      cacheDir === undefined ? resolve(dataDir, 'engines') : resolve(baseDir, cacheDir),
    modelsDir: config.modelsDir === undefined ? PATHS.models : resolve(baseDir, config.modelsDir),
  };
}
