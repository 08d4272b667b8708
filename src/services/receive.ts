import { SightlineError } from '../common/errors.ts';
import type { ServerConfig } from './config/server.ts';

/**
 * A receiver takes no load of a detector: nothing of its configuration may ask for one.
 * @throws SightlineError `SL_CONFIG_INVALID` with every place that does
 */
export function checkReceiver(config: ServerConfig, file: string): void {
  const problems = config.pipelines.flatMap((pipeline, index) =>
    pipeline.infer === undefined
      ? []
      : [{ pointer: `/pipelines/${index}/infer`, message: 'runs where frames are inferred on' }],
  );
  if (config.defaults?.infer !== undefined) {
    problems.push({ pointer: '/defaults/infer', message: 'runs where frames are inferred on' });
  }
  if (config.recording === undefined) {
    problems.push({ pointer: '/recording', message: 'must say where recordings are kept' });
  }
  if (problems.length === 0) return;
  throw new SightlineError('SL_CONFIG_INVALID', `Cannot use ${file} for a receiver`, { problems });
}
