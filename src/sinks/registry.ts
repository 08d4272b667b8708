import type { Sink } from '../common/delivery.ts';
import { createDirectSink, type SinkDependencies } from './direct.ts';
import type { SinkSpec } from './specs.ts';
import { ThreadedSink } from './thread/threaded-sink.ts';

export type { SinkDependencies };

/**
 * Sinks that compute for every record or whose client library does: each in a thread of its own (docs/adr/0021). The
 * others wait for requests with many records in them.
 */
const IN_THREAD: ReadonlySet<SinkSpec['type']> = new Set([
  'file',
  'mqtt',
  'amqp',
  'kafka',
  'firehose',
]);

/**
 * Makes the sink of a checked spec. It connects when it first delivers: one that is away is no reason not to start.
 * @throws SightlineError `SL_CONFIG_INVALID` for what the schema cannot see, such as a topic with wildcards
 */
export async function createSink(spec: SinkSpec, dependencies: SinkDependencies): Promise<Sink> {
  const sink = await createDirectSink(spec, dependencies);
  if (!IN_THREAD.has(spec.type)) return sink;
  const { baseDir, logger } = dependencies;
  return new ThreadedSink(sink, { spec, baseDir, logger });
}
