import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { parseDocument } from '../../src/common/document.ts';
import { onnxRuntimeLibrary, PATHS } from '../../src/common/paths.ts';
import { frameToJson } from '../../src/metadata/frame.ts';
import { loadModel } from '../../src/models/catalog.ts';
import { ensureModel } from '../../src/models/ensure.ts';
import { lowerCpu } from '../../src/pipeline/backends/cpu.ts';
import { launchText } from '../../src/pipeline/launch-text.ts';
import { resolve } from '../../src/pipeline/resolve.ts';
import { PipelineSpec } from '../../src/pipeline/spec.ts';
import { writeGeneratedFiles } from '../../src/services/generated-files.ts';
import { inFolder, runShell } from './run.ts';

const MODEL = 'centernet-320x320';
const FRAMES = 75;
/** Two zones that differ in `invert`, so that the stream needs two files and two elements. */
const SPEC = `
id: p
infer: { model: ${MODEL} }
analytics:
  zones:
    - { id: whole, polygon: [[0, 0], [1, 0], [1, 1], [0, 1]], overcrowding: { objects: 4 } }
    - { id: left, polygon: [[0, 0], [0.5, 0], [0.5, 1], [0, 1]], classes: [person] }
    - { id: not-left, polygon: [[0, 0], [0.5, 0], [0.5, 1], [0, 1]], classes: [person], invert: true }
  lines:
    - { id: to-right, line: [[0.5, 0], [0.5, 1]], direction: [[0.4, 0.5], [0.6, 0.5]], extended: true }
    - { id: to-left, line: [[0.5, 0], [0.5, 1]], direction: [[0.6, 0.5], [0.4, 0.5]], extended: true }
  directions:
    - { id: right, direction: [[0, 0.5], [1, 0.5]] }
    - { id: left, direction: [[1, 0.5], [0, 0.5]] }
streams:
  - { id: cam, source: { type: file, path: "${PATHS.demoClip}" } }
`;

/** The messages of the demo clip's first frames. */
async function run(folder: string) {
  await ensureModel(MODEL);
  const model = await loadModel(PATHS.models, MODEL);
  const pipeline = resolve(parseDocument(SPEC, PipelineSpec).value, { models: () => model });
  const { graphs, files } = lowerCpu(pipeline, {
    onnxRuntimeLibrary: onnxRuntimeLibrary(),
    cores: 2,
    filesDir: join(folder, 'files'),
  });
  await writeGeneratedFiles(files);
  const line = launchText(graphs)
    .replace('slinfer ', `identity eos-after=${FRAMES + 1} ! slinfer `)
    .replace('fakesink sync=false async=false', 'multifilesink async=false location=%03d.pb');
  await runShell(line, folder);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.pb')).sort();
  return Promise.all(names.map(async (name) => frameToJson(await readFile(join(folder, name)))));
}

test('zones, lines and directions of a spec are counted on a real clip', async () => {
  await inFolder(async (folder) => {
    const frames = await run(folder);
    assert.ok(frames.length >= FRAMES, `${frames.length} frames`);
    const totals = new Map<string, number>();
    let people = 0;
    for (const frame of frames) {
      const where = `frame ${frame.id}`;
      const { zones = [], lines = [] } = frame.analytics ?? {};
      const counts = new Map(zones.map((zone) => [zone.id, zone]));
      assert.deepEqual([...counts.keys()], ['left', 'not-left', 'whole'], where);
      const inside = (zone: string) =>
        frame.objects.filter(({ analytics }) => analytics?.zones?.includes(zone));
      for (const { id, objects } of zones) assert.equal(objects, inside(id).length, where);

      // A zone of the whole picture holds everything, and is crowded from 4 on.
      assert.equal(counts.get('whole')?.objects, frame.objects.length, where);
      const crowded = frame.objects.length >= 4;
      assert.equal(counts.get('whole')?.overcrowded, crowded, where);
      for (const { analytics } of frame.objects) {
        assert.deepEqual(analytics?.overcrowdedZones ?? [], crowded ? ['whole'] : [], where);
      }
      // A person is in one half; at the very middle a pixel of rounding decides.
      for (const object of frame.objects.filter(({ type }) => type === 'person')) {
        people += 1;
        const middle = (Number(object.bbox?.leftX) + Number(object.bbox?.rightX)) / 2;
        const zone = middle < frame.frameWidth / 2 ? 'left' : 'not-left';
        const halves = object.analytics?.zones?.filter((id) => id !== 'whole') ?? [];
        assert.equal(halves.length, 1, where);
        if (Math.abs(middle - frame.frameWidth / 2) > 2) assert.deepEqual(halves, [zone], where);
      }
      for (const { id, crossings, crossingsTotal } of lines) {
        const crossed = frame.objects.filter(({ analytics }) =>
          analytics?.linesCrossed?.includes(id),
        );
        assert.equal(Number(crossings), crossed.length, where);
        totals.set(id, (totals.get(id) ?? 0) + crossed.length);
        assert.equal(Number(crossingsTotal), totals.get(id), where);
      }
    }
    assert.deepEqual([...totals.keys()], ['to-left', 'to-right']);
    assert.ok(people > FRAMES, `${people} sightings of people`);
    const goes = frames.flatMap(({ objects }) =>
      objects.map(({ analytics }) => analytics?.direction),
    );
    assert.ok(goes.includes('left') || goes.includes('right'), 'nobody goes anywhere');
  });
});
