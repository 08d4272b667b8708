import { checkValue } from '../../common/check.ts';
import type { Sink } from '../../common/delivery.ts';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import type { KeptSink } from '../../control/registry.ts';
import { sealSpec } from '../../control/sealed-spec.ts';
import type { JsonObject } from '../../control/types.ts';
import { createSink, type SinkDependencies } from '../../sinks/registry.ts';
import { SinkSpec } from '../../sinks/specs.ts';
import { marked } from './api-sinks.ts';

/** What is known of a sink besides how it fares. */
export interface SinkFacts {
  readonly spec: SinkSpec;
  /** The spec as anyone may see it. */
  readonly shown: JsonObject;
  readonly source: 'config' | 'api';
  readonly generation: number;
  readonly createdAt?: Date;
  readonly updatedAt?: Date;
  /** Why it cannot be made any more. */
  readonly error?: SightlineError;
}

/** A sink that was made and delivers nothing yet; without one, `error` says why. */
export interface PreparedSink extends SinkFacts {
  readonly sink?: Sink;
}

/**
 * Makes the sinks of the configuration, which must be good, and those that are kept: one that this version cannot make
 * any more stands there with its error, and what waits for it stays. Where both have an id, the configuration wins.
 * @throws SightlineError `SL_CONFIG_INVALID`
 */
export async function prepareSinks(
  configured: readonly SinkSpec[],
  kept: readonly KeptSink[],
  dependencies: SinkDependencies,
): Promise<readonly PreparedSink[]> {
  const prepared: PreparedSink[] = [];
  for (const spec of configured) {
    const shown = sealSpec(marked(spec)).open;
    const sink = await createSink(spec, dependencies);
    prepared.push({ spec, shown, source: 'config', generation: 1, sink });
  }
  for (const entry of kept) {
    const isTaken = configured.some(({ id }) => id === entry.id);
    if (isTaken) dependencies.logger?.warn({ sink: entry.id }, 'sink.shadowed');
    else prepared.push(await prepareKept(entry, dependencies));
  }
  return prepared;
}

async function prepareKept(entry: KeptSink, dependencies: SinkDependencies): Promise<PreparedSink> {
  const { spec, generation, createdAt, updatedAt } = entry;
  const shown = sealSpec(marked(spec)).open;
  const facts = { source: 'api', shown, generation, createdAt, updatedAt } as const;
  try {
    const checked = checkValue(spec, SinkSpec, { subject: `sink "${entry.id}"` });
    return { ...facts, spec: checked, sink: await makeApiSink(checked, dependencies) };
  } catch (thrown) {
    const error = toSightlineError(thrown);
    const { code, message } = error;
    dependencies.logger?.error({ sink: entry.id, code, reason: message }, 'sink.unusable');
    return { ...facts, spec: spec as unknown as SinkSpec, error };
  }
}

/** @throws SightlineError `SL_SPEC_INVALID` for what only the sink itself can see */
export async function makeApiSink(spec: SinkSpec, dependencies: SinkDependencies): Promise<Sink> {
  try {
    return await createSink(spec, dependencies);
  } catch (thrown) {
    const error = toSightlineError(thrown);
    if (error.code !== 'SL_CONFIG_INVALID') throw error;
    throw new SightlineError('SL_SPEC_INVALID', error.message, { cause: error });
  }
}
