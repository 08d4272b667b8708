import { SightlineError } from '../../common/errors.ts';
import type { SightlineRecord } from '../../consumer/index.ts';
import type { SinkSpec } from '../../sinks/specs.ts';
import { loadConfig } from '../config/load.ts';
import { configPlace } from '../config/place.ts';
import { recordLine } from './text.ts';

export interface TailFlags {
  readonly sink: string;
  readonly config: string;
  /** Records of this stream alone. */
  readonly stream?: string | undefined;
  /** A line of JSON for each record. */
  readonly json?: boolean | undefined;
  /** Ends after so many records. */
  readonly count?: number | undefined;
  /** SQS: how long messages that were shown stay hidden from the consumers they are for. */
  readonly peekVisibility?: number | undefined;
}

export interface ReadOptions {
  /** Folder of the configuration: where relative paths in a spec start. */
  readonly baseDir: string;
  readonly stream: string | undefined;
  readonly peekVisibilityS: number | undefined;
  /** Ends the reading. */
  readonly signal: AbortSignal;
  /** What is worth to know beside the records: that it listens, a message it could not read. */
  readonly tell: (line: string) => void;
}

/** A reader gives the records of each message, as they come. */
export type Reader = AsyncIterable<readonly SightlineRecord[]>;

/** Where a destination cannot be read without taking from it, and what to do instead. */
const UNREADABLE = {
  s3: 'objects are pictures: list the bucket, for example with `aws s3 ls`',
  firehose: 'Firehose can only be written to: read what it stores, for example with Athena',
  eventbridge: 'a bus keeps nothing: add a rule that sends its events to a queue or a log group',
  webhook: 'what was posted is with the receiver: look there, or add a sink of type file',
};

/**
 * Prints what arrives at a sink's destination, until `signal` or `count`. Only reads: nothing is taken from anybody.
 * @throws SightlineError `SL_CONFIG_INVALID`, `SL_NOT_FOUND` for a sink that is not there, `SL_REQUEST_INVALID` for one that
 * cannot be read (so), one of `SL_SINK_*` when the destination is away
 */
export async function tail(
  flags: TailFlags,
  {
    signal,
    print,
    tell,
  }: { signal: AbortSignal; print: (line: string) => void } & Pick<ReadOptions, 'tell'>,
): Promise<void> {
  const { config, baseDir } = await loadConfig(configPlace(flags.config).file);
  const spec = config.sinks.find(({ id }) => id === flags.sink);
  if (spec === undefined) {
    const ids = config.sinks.map(({ id }) => id).join(', ') || 'none';
    const message = `Cannot watch sink ${flags.sink}: ${flags.config} has not got it, its sinks are ${ids}`;
    throw new SightlineError('SL_NOT_FOUND', message);
  }
  const end = new AbortController();
  const options: ReadOptions = {
    baseDir,
    stream: flags.stream,
    peekVisibilityS: flags.peekVisibility,
    signal: AbortSignal.any([signal, end.signal]),
    tell,
  };
  let left = flags.count ?? Number.POSITIVE_INFINITY;
  try {
    for await (const records of await openReader(spec, options)) {
      for (const record of records) {
        if (flags.stream !== undefined && record.streamId !== flags.stream) continue;
        print(flags.json ? JSON.stringify(record, withoutBytes) : recordLine(record));
        if (--left <= 0) return;
      }
    }
  } finally {
    end.abort();
  }
}

/** Loads the client of one transport. */
async function openReader(spec: SinkSpec, options: ReadOptions): Promise<Reader> {
  switch (spec.type) {
    case 'mqtt':
      return (await import('./mqtt.ts')).followMqtt(spec, options);
    case 'kafka':
      return (await import('./kafka.ts')).followKafka(spec, options);
    case 'amqp':
      return (await import('./amqp.ts')).followAmqp(spec, options);
    case 'file':
      return (await import('./files.ts')).followFiles(spec, options);
    case 'sqs':
      return (await import('./sqs.ts')).peekSqs(spec, options);
    case 'kinesis':
      return (await import('./kinesis.ts')).followKinesis(spec, options);
    default: {
      const { id, type } = spec;
      const why = UNREADABLE[type];
      throw new SightlineError('SL_REQUEST_INVALID', `Cannot watch sink ${id} (${type}): ${why}`);
    }
  }
}

/** Pictures as their size. */
function withoutBytes(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? { bytes: value.byteLength } : value;
}
