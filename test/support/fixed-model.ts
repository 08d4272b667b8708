import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../src/common/paths.ts';
import { addModel } from '../../src/models/install.ts';

/** A model that finds two boxes in every picture at almost no cost: what is measured is everything around it. */
export async function installFixedModel(
  folder: string,
  model = 'fixed',
): Promise<{ modelsDir: string; model: string }> {
  const source = join(folder, model);
  const modelsDir = join(folder, 'models');
  await mkdir(source, { recursive: true });
  await mkdir(modelsDir, { recursive: true });
  const onnx = join(source, 'model.onnx');
  await copyFile(join(ROOT, 'native', 'tests', 'fixtures', 'models', 'fixed-boxes.onnx'), onnx);
  await writeFile(join(source, 'labels.txt'), 'person\ncar\nother\n');
  await writeFile(
    join(source, 'model.yaml'),
    JSON.stringify({
      name: model,
      version: '1',
      licence: 'Apache-2.0',
      source: { kind: 'local', origin: 'a test model' },
      onnx: { file: 'model.onnx' },
      input: { name: 'images', width: 64, height: 48 },
      outputs: [{ name: 'detections', shape: ['N', 3, 6] }],
      labels: 'labels.txt',
      parser: 'centernet',
      thresholds: { default: 0.3 },
      batch: 'dynamic',
    }),
  );
  await addModel(join(source, 'model.yaml'), { directory: modelsDir, onnx });
  return { modelsDir, model };
}
