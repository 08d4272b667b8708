import { SightlineError } from '../../common/errors.ts';
import { loadConfig } from '../config/load.ts';
import { type ServeOptions, serve } from '../serve.ts';

/**
 * A server for rules alone: it reads what other servers sent, and has their API, sinks and page besides.
 * @throws SightlineError `SL_CONFIG_INVALID` for a configuration without rules or inputs
 */
export async function react(options: ServeOptions): Promise<void> {
  const { config } = await loadConfig(options.config);
  if (config.rules.length === 0 || config.inputs.length === 0) {
    const lacks = config.rules.length === 0 ? 'rules' : 'inputs';
    const message = `Cannot run rules by ${options.config}: it has no "${lacks}". For rules over own cameras: sightline serve`;
    throw new SightlineError('SL_CONFIG_INVALID', message);
  }
  await serve(options);
}
