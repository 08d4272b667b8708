import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { checkValue } from '../../src/common/check.ts';
import { PATHS, ROOT } from '../../src/common/paths.ts';
import { decodeFrame } from '../../src/metadata/frame.ts';
import { type FrameJson, mapFrame } from '../../src/metadata/frame-json.ts';
import { loadModel } from '../../src/models/catalog.ts';
import { EngineCache } from '../../src/models/engine-cache.ts';
import type { Lowered } from '../../src/pipeline/graph.ts';
import { resolve } from '../../src/pipeline/resolve.ts';
import { PipelineSpec } from '../../src/pipeline/spec.ts';
import type { AcceleratorProbe } from '../../src/services/accelerator.ts';
import { writeGeneratedFiles } from '../../src/services/generated-files.ts';
import { lower } from '../../src/services/lower.ts';
import { DATA_KIND_FRAME } from '../../src/worker/protocol.ts';

const FOLDER = join(ROOT, 'build-native', 'stand-in');
const MODEL = 'centernet-512x384';

/** Variables of a process that finds the stand-in for DeepStream (native/tests/stand-in-plugin) in its place. */
export function standInEnv(): { GST_PLUGIN_PATH: string; SIGHTLINE_DEEPSTREAM_LIBDIR: string } {
  if (!existsSync(join(FOLDER, 'libgstnvstandin.so'))) {
    throw new Error(
      'The stand-in for DeepStream is not built: run `npm test`, which builds the native tests',
    );
  }
  return {
    GST_PLUGIN_PATH: [PATHS.pluginDir, FOLDER].join(delimiter),
    SIGHTLINE_DEEPSTREAM_LIBDIR: join(ROOT, 'build-native', 'tests', 'deepstream-lib'),
  };
}

/** What a machine with DeepStream would be found to have. */
export const GPU_MACHINE: AcceleratorProbe = {
  kind: 'deepstream',
  platform: 'dgpu',
  deepstream: '9.1',
  gpuName: 'Stand-in',
  gpus: ['Stand-in'],
  tensorRt: '10.16.1',
  problems: [],
};

export const NO_GPU: AcceleratorProbe = {
  kind: 'none',
  gpus: [],
  problems: ['DeepStream is not installed', 'No NVIDIA driver runs here'],
};

/** A machine on which ONNX Runtime looks as if it could use a GPU; DeepStream is not there. */
export const ONNX_GPU: AcceleratorProbe = {
  kind: 'none',
  gpus: ['Stand-in'],
  problems: ['DeepStream is not installed'],
  onnxRuntimeProblems: [],
};

/** Lowers a spec for a machine with DeepStream and writes the files its elements read into `folder`. */
export async function lowerForStandIn(
  streams: readonly object[],
  folder: string,
  more: object = {},
): Promise<Lowered> {
  const model = await loadModel(PATHS.models, MODEL);
  const models = (name: string) => (name === MODEL ? model : undefined);
  const spec = checkValue(
    {
      id: 'cameras',
      accelerator: 'require-gpu',
      infer: { model: MODEL },
      track: { type: 'nvsort' },
      streams,
      ...more,
    },
    PipelineSpec,
  );
  const { lowered, engines } = await lower(resolve(spec, { models }), models, {
    modelsDir: PATHS.models,
    workDir: folder,
    enginesDir: join(folder, 'engines'),
    probe: async () => GPU_MACHINE,
  });
  await writeGeneratedFiles(lowered.files);
  // The model lies beside its engine; the stand-in's nvinfer builds that when it starts.
  const cache = await EngineCache.open(join(folder, 'engines'));
  for (const engine of engines) await cache.prepare(engine);
  return lowered;
}

/** A camera of the stand-in; `fate` is a query of native/tests/stand-in-plugin/camera.h. */
export function standInCamera(id: string, fate = ''): object {
  const url = `rtsp://${id}.example/main${fate === '' ? '' : `?${fate}`}`;
  return { id, sensorId: `sensor-${id}`, source: { type: 'rtsp', url } };
}

/** The frames among a worker's records. */
export function framesOf(records: readonly { kind: number; payload: Buffer }[]): FrameJson[] {
  return records
    .filter(({ kind }) => kind === DATA_KIND_FRAME)
    .map(({ payload }) => mapFrame(decodeFrame(payload)));
}
