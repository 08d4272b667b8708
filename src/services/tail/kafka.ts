import { SightlineError, toSightlineError } from '../../common/errors.ts';
import { fromKafka } from '../../consumer/index.ts';
import { readKafka } from '../../sinks/kafka/reader.ts';
import type { KafkaSinkSpec } from '../../sinks/kafka/spec.ts';
import type { Reader, ReadOptions } from './tail.ts';

/** Reads from the end of every partition, without a group: nothing is committed. */
export async function* followKafka(spec: KafkaSinkSpec, options: ReadOptions): Reader {
  const { baseDir, signal, tell } = options;
  const topics = topicsOf(spec, options.stream);
  tell(`Reading ${topics.join(', ')} from their ends`);
  for await (const message of readKafka(spec, { topics, from: 'latest', signal, baseDir })) {
    try {
      yield fromKafka(message);
    } catch (error) {
      const { topic, partition, offset } = message;
      tell(`${topic}/${partition}/${offset}: ${toSightlineError(error).message}`);
    }
  }
}

/** The topics the sink writes to, as far as its template tells them. */
export function topicsOf(
  { id, topic, kinds }: Pick<KafkaSinkSpec, 'id' | 'topic' | 'kinds'>,
  stream: string | undefined,
): string[] {
  const known = stream === undefined ? topic : topic.replaceAll('{streamId}', stream);
  const topics = new Set(kinds.map((kind) => known.replaceAll('{kind}', kind)));
  const open = [...topics].find((name) => name.includes('{'));
  if (open === undefined) return [...topics];
  const remedy = known.includes('{streamId}') ? 'name one with --stream' : 'it changes by record';
  const message = `Cannot watch sink ${id}: its topic is ${topic}; ${remedy}`;
  throw new SightlineError('SL_REQUEST_INVALID', message);
}
