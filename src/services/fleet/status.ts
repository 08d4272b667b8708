import { SightlineError } from '../../common/errors.ts';
import { pictureOf } from '../../fleet/fleet-picture.ts';
import { loadConfig } from '../config/load.ts';
import { configPlace } from '../config/place.ts';
import { openFleetStore } from './open-store.ts';

/** `sightline fleet status`: the fleet as its store has it, with or without a server here. */
export async function fleetStatus(
  options: { readonly config: string; readonly json?: boolean },
  print: (line: string) => void,
): Promise<void> {
  const { config, baseDir } = await loadConfig(configPlace(options.config).file);
  if (config.fleet === undefined) {
    throw new SightlineError('SL_CONFIG_INVALID', `There is no "fleet" in ${options.config}`);
  }
  const store = await openFleetStore(config.fleet, baseDir);
  try {
    const picture = await pictureOf(store);
    if (options.json === true) {
      print(JSON.stringify(picture));
      return;
    }
    print(`${store.name}, assigner: ${picture.leader ?? 'none'}`);
    for (const { id, state, token, capacity, used, detector, streams } of picture.nodes) {
      const role = detector ? '' : ', receiver';
      print(
        `  ${id.padEnd(24)} ${state.padEnd(9)} ${streams} streams, ${used} of ${capacity} cores, token ${token}${role}`,
      );
    }
    for (const { streamId, node = '-', epoch, state } of picture.assignments) {
      print(`  ${streamId.padEnd(24)} ${state.padEnd(10)} ${node}, epoch ${epoch}`);
    }
  } finally {
    await store.close();
  }
}
