import { SightlineError } from '../common/errors.ts';
import type { GstPipeline } from '../gst/pipeline.ts';
import { allNodes } from '../gst/redact.ts';
import type { PropertyChange } from '../pipeline/graph-changes.ts';
import { liveProperty } from '../pipeline/live-properties.ts';

/**
 * Sets properties as GstPipeline.setProperties() does, and reads back those that an element may refuse. Throws
 * `SL_BACKEND_UNSUPPORTED`, with everything as it was, when an element keeps the value it has.
 */
export async function setChecked(
  pipeline: GstPipeline,
  changes: readonly PropertyChange[],
): Promise<readonly boolean[]> {
  const factories = new Map(
    allNodes(pipeline.graph).map(({ id, factory }) => [id, factory] as const),
  );
  const doubtful = changes.filter(
    ({ node, property }) => liveProperty(factories.get(node) ?? '', property)?.mayRefuse,
  );
  if (doubtful.length === 0) return pipeline.setProperties(changes);
  const before = await read(pipeline, changes);
  const applied = await pipeline.setProperties(changes);
  const after = await read(pipeline, doubtful);
  const refused = doubtful.find(
    (change, index) => applied[changes.indexOf(change)] && after[index] !== change.value,
  );
  if (refused === undefined) return applied;
  await pipeline.setProperties(
    changes.flatMap((change, index) => {
      const value = before[index];
      return applied[index] && isValue(value) ? [{ ...change, value }] : [];
    }),
  );
  throw new SightlineError(
    'SL_BACKEND_UNSUPPORTED',
    `Node "${refused.node}" does not take the new "${refused.property}" while it plays; its warning says why`,
  );
}

function read(pipeline: GstPipeline, changes: readonly PropertyChange[]) {
  return pipeline.getProperties(changes.map(({ node, property }) => [node, property] as const));
}

function isValue(value: unknown): value is PropertyChange['value'] {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
