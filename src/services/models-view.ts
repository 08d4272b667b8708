import type { ModelsView } from '../api/dependencies.ts';
import type { Model } from '../api/schemas.ts';
import { SightlineError, toSightlineError } from '../common/errors.ts';
import { listModels, readManifest, verifyOnnx } from '../models/catalog.ts';
import { ChecksumCache } from '../models/checksum.ts';

/** Manifests are read again after this long: models come and go seldom. */
const KEEP_MS = 5_000;

const WORDS: Readonly<Record<string, string>> = {
  SL_MODEL_NOT_FOUND: 'One of its files is missing: `sightline models pull` makes it ready',
  SL_MODEL_INVALID:
    'Its manifest or its files do not fit together: `sightline models list` says more',
  SL_MODEL_CHECKSUM: 'A file is not the one of its manifest: `sightline models pull` restores it',
};

/** The models of a folder for the API. Messages with paths stay here. */
export function modelsView(directory: string): ModelsView {
  const checksums = new ChecksumCache();
  let kept: { readonly atMs: number; readonly models: Promise<readonly Model[]> } | undefined;
  const list = (): Promise<readonly Model[]> => {
    const now = performance.now();
    if (kept === undefined || now - kept.atMs > KEEP_MS) {
      kept = { atMs: now, models: readAll(directory, checksums) };
    }
    return kept.models;
  };
  return {
    list,
    get: async (name) => {
      const model = (await list()).find((each) => each.name === name);
      if (model !== undefined) return model;
      throw new SightlineError('SL_NOT_FOUND', `There is no model "${name}"`);
    },
  };
}

async function readAll(directory: string, checksums: ChecksumCache): Promise<readonly Model[]> {
  const names = await listModels(directory).catch(() => []);
  return Promise.all(names.map((name) => readOne(directory, name, checksums)));
}

async function readOne(directory: string, name: string, checksums: ChecksumCache): Promise<Model> {
  try {
    const loaded = await readManifest(directory, name);
    const reason = await verifyOnnx(loaded, checksums).then(() => undefined, whyNot);
    const { version, task, description, licence, input, batch, onnx } = loaded.manifest;
    return {
      name,
      ...(reason === undefined ? { state: 'ready' } : { state: 'unusable', reason }),
      ...{ version, task, description, licence, batch, labels: loaded.labels },
      input: { width: input.width, height: input.height },
      ...(onnx.sha256 === undefined ? {} : { sha256: onnx.sha256 }),
    };
  } catch (error) {
    return { name, state: 'unusable', reason: whyNot(error) };
  }
}

function whyNot(error: unknown): { code: string; message: string } {
  const { code } = toSightlineError(error);
  return { code, message: WORDS[code] ?? 'It cannot be read: `sightline models list` says more' };
}
