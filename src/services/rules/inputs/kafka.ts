import { Consumer, type Message } from '@platformatic/kafka';
import { SightlineError, toSightlineError } from '../../../common/errors.ts';
import { fromKafka } from '../../../consumer/index.ts';
import { readSinkFile, readTls } from '../../../sinks/tls.ts';
import type { ReadInput } from './run.ts';
import type { SpecOf } from './specs.ts';

/** Offsets are committed after so many messages, or so long. What was read since comes again after a death. */
const COMMIT_MESSAGES = 500;
const COMMIT_MS = 1_000;

type Read = Message<Buffer, Buffer, Buffer, Buffer>;

/** A consumer group: several servers share the partitions. */
export const readKafkaGroup: ReadInput<SpecOf<'kafka'>> = async (spec, options) => {
  const { handle, signal, onConnected, onUnreadable, baseDir } = options;
  const consumer = await open(spec, baseDir);
  const what = `Kafka topics ${spec.topics.join(', ')}`;
  const toCommit = new Map<string, Read>();
  let committedMs = performance.now();
  let since = 0;
  const commit = async () => {
    await Promise.all([...toCommit.values()].map(async (message) => message.commit()));
    toCommit.clear();
    committedMs = performance.now();
    since = 0;
  };
  try {
    const stream = await consumer.consume({
      topics: [...spec.topics],
      ...{ autocommit: false, mode: 'committed', fallbackMode: spec.from },
    });
    const onAbort = () => void stream.close();
    signal.addEventListener('abort', onAbort, { once: true });
    onConnected();
    for await (const message of stream) {
      if (signal.aborted) break;
      await handle(read(message));
      toCommit.set(`${message.topic}/${message.partition}`, message);
      if (++since >= COMMIT_MESSAGES || performance.now() - committedMs > COMMIT_MS) await commit();
    }
    await commit();
    if (!signal.aborted) throw new SightlineError('SL_SINK_UNAVAILABLE', `Lost the ${what}`);
  } catch (thrown) {
    if (thrown instanceof SightlineError) throw thrown;
    const reason = (thrown as Error).message;
    const message = `Cannot read ${what}: ${reason}`;
    throw new SightlineError('SL_SINK_UNAVAILABLE', message, { cause: thrown });
  } finally {
    await new Promise<void>((resolve) => consumer.close(true, () => resolve()));
  }

  function read({ value, headers }: Read) {
    try {
      const texts = [...headers].map(([name, text]) => [String(name), String(text)]);
      return fromKafka({ value, headers: Object.fromEntries(texts) as Record<string, string> });
    } catch (error) {
      onUnreadable(toSightlineError(error).message);
      return [];
    }
  }
};

async function open(
  { id, brokers, groupId, sasl, tls, connectTimeoutMs }: SpecOf<'kafka'>,
  baseDir: string,
): Promise<Consumer> {
  const fromFile =
    sasl?.passwordFile === undefined
      ? undefined
      : await readSinkFile(sasl.passwordFile, { baseDir, sinkId: id, what: 'password' });
  return new Consumer({
    ...{ clientId: `sightline-react-${id}`, groupId, connectTimeout: connectTimeoutMs },
    bootstrapBrokers: [...brokers],
    ...(tls === undefined ? {} : { tls: await readTls(tls, baseDir, id) }),
    ...(sasl === undefined
      ? {}
      : {
          sasl: {
            mechanism: sasl.mechanism,
            username: sasl.username,
            password: sasl.password ?? fromFile?.toString('utf8').trimEnd() ?? '',
          },
        }),
  });
}
