import { findDevices, readDriver } from './nvidia/driver.ts';
import { Host, type HostOptions } from './nvidia/host.ts';
import { DEEPSTREAM_FOLDER, findInstallation } from './nvidia/installation.ts';
import { cudaVersion, tensorRtVersion } from './nvidia/libraries.ts';
import { onnxRuntimeProblem } from './nvidia/onnx-runtime.ts';
import {
  detectPlatform,
  isJetson,
  type NvidiaPlatform,
  platformProblem,
} from './nvidia/platform.ts';
import { compareVersions, OLDEST_DEEPSTREAM, releaseOf } from './nvidia/releases.ts';

export type { NvidiaPlatform } from './nvidia/platform.ts';

interface Facts {
  /** DeepStream's version with two numbers, such as `9.1`: the name of its catalogue. */
  readonly deepstream?: string;
  /** Model of the first card, or of the Jetson. */
  readonly gpuName?: string;
  /** Every card in the order of PCI addresses; empty on a Jetson. */
  readonly gpus: readonly string[];
  /** Such as `10.16.1`. */
  readonly tensorRt?: string;
  readonly cuda?: string;
  /** Of a card, such as `595.58.03`; on a Jetson that of Jetson Linux, such as `L4T 39.2`. */
  readonly driver?: string;
  /** Why DeepStream cannot be used here, each with its remedy; empty when it can. */
  readonly problems: readonly string[];
  /** Why ONNX Runtime cannot use a GPU here; empty when it should. Absent: nobody looked. */
  readonly onnxRuntimeProblems?: readonly string[];
}

/** What pipelines of this machine can run on. */
export type AcceleratorProbe =
  | (Facts & { readonly kind: 'none'; readonly platform?: NvidiaPlatform })
  | (Facts & {
      readonly kind: 'deepstream';
      readonly platform: NvidiaPlatform;
      readonly deepstream: string;
    });

export interface ProbeOptions extends HostOptions {
  /** An answer for the same root that is younger is given again. Default 60 000; 0 looks anew. */
  readonly maxAgeMs?: number;
}

interface Kept {
  readonly atMs: number;
  readonly probe: Promise<AcceleratorProbe>;
}

const MAX_AGE_MS = 60_000;
const NO_DRIVER = 'No NVIDIA driver runs here: install it, or run the container with --gpus all';
const kept = new Map<string, Kept>();

/**
 * Whether DeepStream can run here, and on what, and whether ONNX Runtime should be able to use a GPU. Reads a few files and starts no program (except nvidia-smi under WSL 2,
 * for 200 ms at most), so that it can be asked before each start of a pipeline. `sightline doctor` looks closer. Never
 * rejects.
 */
export function probeAccelerator(options: ProbeOptions = {}): Promise<AcceleratorProbe> {
  const host = new Host(options);
  const { SIGHTLINE_PLATFORM, SIGHTLINE_ONNXRUNTIME } = host.env;
  const key = [host.root, host.arch, SIGHTLINE_PLATFORM, SIGHTLINE_ONNXRUNTIME].join('\n');
  const earlier = kept.get(key);
  const now = performance.now();
  if (earlier !== undefined && now - earlier.atMs < (options.maxAgeMs ?? MAX_AGE_MS)) {
    return earlier.probe;
  }
  const probe = look(host);
  kept.set(key, { atMs: now, probe });
  return probe;
}

async function look(host: Host): Promise<AcceleratorProbe> {
  const [{ platform, model, l4t }, { driver, gpus }, installation, tensorRt, cuda, onnxRuntime] =
    await Promise.all([
      detectPlatform(host),
      readDriver(host),
      findInstallation(host),
      tensorRtVersion(host),
      cudaVersion(host),
      onnxRuntimeProblem(host),
    ]);
  const jetson = isJetson(platform);
  const devices = await findDevices(host, platform);
  const version = installation?.version;
  const deepstream = version?.split('.').slice(0, 2).join('.');
  const gpuName = jetson ? model : gpus[0];
  const driverName = driver ?? (l4t === undefined ? undefined : `L4T ${l4t}`);
  const onnxRuntimeProblems = [
    ...(jetson || driver !== undefined ? [] : [NO_DRIVER]),
    ...deviceProblems(devices, jetson),
    ...(onnxRuntime === undefined ? [] : [onnxRuntime]),
  ];
  const problems = [
    platformProblem(host) ?? [],
    ...deepStreamProblems(installation),
    ...(jetson ? [] : driverProblems(driver, deepstream)),
    ...deviceProblems(devices, jetson),
    ...(installation !== undefined && tensorRt === undefined
      ? [
          'TensorRT is not installed: no libnvinfer.so was found; install the version this DeepStream asks for',
        ]
      : []),
  ].flat();
  const facts: Facts = {
    gpus: jetson ? [] : gpus,
    problems,
    onnxRuntimeProblems,
    ...(deepstream === undefined ? {} : { deepstream }),
    ...(gpuName === undefined ? {} : { gpuName }),
    ...(tensorRt === undefined ? {} : { tensorRt }),
    ...(cuda === undefined ? {} : { cuda }),
    ...(driverName === undefined ? {} : { driver: driverName }),
  };
  if (problems.length === 0 && deepstream !== undefined) {
    return { ...facts, kind: 'deepstream', platform, deepstream };
  }
  const isNvidia = jetson || driver !== undefined || devices.present.length > 0;
  return { ...facts, kind: 'none', ...(isNvidia ? { platform } : {}) };
}

function deepStreamProblems(installation: Awaited<ReturnType<typeof findInstallation>>): string[] {
  if (installation === undefined) {
    return [`DeepStream is not installed (${DEEPSTREAM_FOLDER}): see docs/deepstream.md`];
  }
  const { version, missing } = installation;
  if (version === undefined)
    return [`The version of DeepStream in ${DEEPSTREAM_FOLDER} is unknown`];
  if (compareVersions(version, OLDEST_DEEPSTREAM) < 0) {
    return [
      `DeepStream ${version} is too old: its metadata is laid out differently; install ${OLDEST_DEEPSTREAM} or later`,
    ];
  }
  if (missing.length > 0) {
    return [`DeepStream ${version} lacks ${missing.join(', ')}: install it again`];
  }
  return [];
}

function driverProblems(driver: string | undefined, deepstream: string | undefined): string[] {
  if (driver === undefined) {
    return [NO_DRIVER];
  }
  const floor = deepstream === undefined ? undefined : releaseOf(deepstream)?.driver;
  if (floor === undefined || compareVersions(driver, floor) >= 0) return [];
  return [
    `The NVIDIA driver ${driver} is too old for DeepStream ${deepstream}: install ${floor} or later`,
  ];
}

function deviceProblems(
  { present, refused }: Awaited<ReturnType<typeof findDevices>>,
  jetson: boolean,
): string[] {
  const container = jetson ? '--runtime nvidia' : '--gpus all';
  if (present.length === 0) {
    return [`No device of an NVIDIA GPU is here; run the container with ${container}`];
  }
  if (refused.length === 0) return [];
  return [
    `${refused.join(', ')} cannot be opened by this user: add it to the groups video and render`,
  ];
}
