import { PATHS } from '../../../common/paths.ts';
import type { Host } from '../../nvidia/host.ts';
import { DEEPSTREAM_FOLDER } from '../../nvidia/installation.ts';
import { cudaVersion, tensorRtVersion } from '../../nvidia/libraries.ts';
import { releaseOf } from '../../nvidia/releases.ts';
import { type Finding, fail, ok, warn } from '../finding.ts';
import { exists } from '../machine.ts';

/** What is loaded, by what it is for, in DeepStream's folder. */
const LOADED: Readonly<Record<string, string>> = {
  'lib/libnvds_meta.so': 'metadata',
  'lib/libnvdsgst_meta.so': 'metadata',
  'lib/gst-plugins/libnvdsgst_infer.so': 'nvinfer',
  'lib/libnvds_nvmultiobjecttracker.so': 'nvtracker',
};

/** Who brings a library that NVIDIA's need, by the beginning of its name. */
const BROUGHT_BY: readonly (readonly [string, string])[] = [
  ['libmosquitto', 'sudo apt-get install libmosquitto1'],
  ['libyaml-cpp', 'sudo apt-get install libyaml-cpp0.8'],
  ['libjsoncpp', 'sudo apt-get install libjsoncpp25'],
  ['libnvinfer', 'Install the TensorRT that this DeepStream asks for (package libnvinfer10)'],
  ['libnvonnxparser', 'Install the TensorRT that this DeepStream asks for (libnvonnxparsers10)'],
  ['libcuda.', 'Install the driver; in a container, run it with --gpus all'],
  ['libcud', 'Install the CUDA runtime that this DeepStream asks for'],
];

/** Versions of CUDA and TensorRT beside those the release was made with, and whether NVIDIA's libraries load. */
export async function checkLibraries(
  host: Host,
  deepstream: string | undefined,
): Promise<Finding[]> {
  const release = deepstream === undefined ? undefined : releaseOf(deepstream);
  const [cuda, tensorRt, parsers, ...loads] = await Promise.all([
    cudaVersion(host),
    tensorRtVersion(host),
    exists(PATHS.parsersLibrary),
    ...Object.entries(LOADED).map(([file, purpose]) => checkLoads(host, file, purpose)),
  ]);
  return [
    checkVersion('cuda', 'CUDA', cuda, release?.cuda),
    checkVersion('tensorrt', 'TensorRT', tensorRt, release?.tensorRt),
    ...(parsers
      ? []
      : [
          fail(
            'libraries',
            `The box parsers that nvinfer loads are not built: ${PATHS.parsersLibrary}`,
            'npm run setup',
          ),
        ]),
    ...loads.flat(),
  ];
}

function checkVersion(
  check: string,
  name: string,
  version: string | undefined,
  wanted: string | undefined,
): Finding {
  if (version === undefined || version === '0') {
    return fail(
      check,
      `${name} was not found`,
      wanted === undefined
        ? `Install the ${name} that this DeepStream asks for; then sudo ldconfig`
        : `Install ${name} ${wanted}; then sudo ldconfig`,
    );
  }
  // A file name may tell the first number alone.
  const known = version.split('.').slice(0, 2);
  const series = (wanted ?? version).split('.').slice(0, known.length);
  if (known.join('.') === series.join('.')) return ok(check, `${name} ${version}`);
  return warn(
    check,
    `${name} ${version}, but this DeepStream was made with ${wanted}`,
    `Install ${name} ${wanted}: engines and plugins of another version may fail to load`,
  );
}

async function checkLoads(host: Host, file: string, purpose: string): Promise<Finding[]> {
  const path = `${DEEPSTREAM_FOLDER}/${file}`;
  const check = 'libraries';
  if (!(await host.exists(path))) {
    return [fail(check, `${path} is missing (${purpose})`, 'Install DeepStream again')];
  }
  const result = await host.run('ldd', [host.path(path)]);
  if (result.kind === 'hung' || result.kind === 'absent') {
    return [warn(check, `ldd cannot tell whether ${path} loads (${result.kind})`, `ldd ${path}`)];
  }
  const missing = [...result.stdout.matchAll(/^\s*(\S+) => not found/gm)].map(([, name]) => name!);
  if (missing.length > 0) {
    return missing.map((name) =>
      fail(check, `${path} does not load: ${name} is not found (${purpose})`, mendFor(name)),
    );
  }
  if (result.kind === 'failed') {
    return [
      fail(check, `${path} is no library of this machine (${purpose})`, 'Install DeepStream again'),
    ];
  }
  return [ok(check, `${path} loads (${purpose})`)];
}

function mendFor(library: string): string {
  return (
    BROUGHT_BY.find(([start]) => library.startsWith(start))?.[1] ??
    `Install ${library} (apt-file search ${library}), then sudo ldconfig`
  );
}
