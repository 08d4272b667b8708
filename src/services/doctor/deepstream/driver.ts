import type { DriverFacts } from '../../nvidia/driver.ts';
import type { CommandResult, Host } from '../../nvidia/host.ts';
import { compareVersions, releaseOf } from '../../nvidia/releases.ts';
import { type Finding, fail, ok, warn } from '../finding.ts';

const LOW_MEMORY_MIB = 4096;
const QUERY = ['index', 'name', 'driver_version', 'memory.total', 'memory.used'];

interface Gpu {
  readonly index: string;
  readonly name: string;
  readonly driver: string;
  readonly totalMib: number;
  readonly usedMib: number;
}

/** The driver beside what this DeepStream asks for, and each card with its memory. */
export async function checkDriver(
  host: Host,
  { driver }: DriverFacts,
  deepstream: string | undefined,
): Promise<Finding[]> {
  const result = await host.run('nvidia-smi', [
    `--query-gpu=${QUERY.join(',')}`,
    '--format=csv,noheader,nounits',
  ]);
  if (result.kind !== 'done') return [smiFailure(result, driver)];
  const gpus = result.stdout
    .trim()
    .split('\n')
    .flatMap((line): Gpu[] => {
      const [index, name, version, total, used] = line.split(', ');
      if (index === undefined || name === undefined || version === undefined) return [];
      return [{ index, name, driver: version, totalMib: Number(total), usedMib: Number(used) }];
    });
  const running = driver ?? gpus[0]?.driver;
  if (running === undefined || gpus.length === 0) {
    return [
      fail(
        'driver',
        'nvidia-smi lists no GPU',
        'Look for "Xid" or "fallen off the bus": sudo dmesg | grep -i nvrm',
      ),
    ];
  }
  return [checkVersion(running, deepstream), ...gpus.map(checkMemory)];
}

function smiFailure(
  result: Exclude<CommandResult, { kind: 'done' }>,
  driver: string | undefined,
): Finding {
  if (result.kind === 'hung') {
    return fail(
      'driver',
      `nvidia-smi did not answer within ${result.limitMs / 1000} s: the driver or the GPU hangs`,
      'sudo dmesg | grep -i -E "nvrm|xid"; a GPU that fell off the bus needs a restart of the machine',
    );
  }
  const where = driver === undefined ? '' : `, although the driver ${driver} is loaded`;
  const why = result.kind === 'absent' ? 'it is not there' : result.stderr.split('\n').at(-1);
  return fail(
    'driver',
    `The NVIDIA driver does not answer (nvidia-smi: ${why})${where}`,
    'Install the driver that this DeepStream asks for; in a container, run it with --gpus all',
  );
}

function checkVersion(driver: string, deepstream: string | undefined): Finding {
  const release = deepstream === undefined ? undefined : releaseOf(deepstream);
  if (release?.driver === undefined) return ok('driver', `NVIDIA driver ${driver}`);
  const wanted = `DeepStream ${release.version} asks for ${release.driver} or later`;
  if (compareVersions(driver, release.driver) >= 0) {
    return ok('driver', `NVIDIA driver ${driver} (${wanted})`);
  }
  const [branch] = release.driver.split('.');
  return fail(
    'driver',
    `NVIDIA driver ${driver} is too old: ${wanted}`,
    `sudo apt-get install nvidia-driver-${branch}-open, then restart the machine`,
  );
}

function checkMemory({ index, name, totalMib, usedMib }: Gpu): Finding {
  // A GPU that shares the machine's memory (DGX Spark) tells no number.
  if (Number.isNaN(totalMib)) return ok('gpu', `GPU ${index}: ${name}`);
  const what = `GPU ${index}: ${name}, ${usedMib} of ${totalMib} MiB in use`;
  if (totalMib >= LOW_MEMORY_MIB && totalMib - usedMib >= LOW_MEMORY_MIB / 4) {
    return ok('gpu', what);
  }
  return warn(
    'gpu',
    `${what}: little for decoders, engines and batches`,
    'See who has it (nvidia-smi); fewer streams a pipeline, a smaller muxer size or precision fp16 need less',
  );
}
