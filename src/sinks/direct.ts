import { resolve } from 'node:path';
import type { AddressPolicy } from '../common/address-policy.ts';
import type { Sink } from '../common/delivery.ts';
import type { EventLog } from './event-log.ts';
import type { SinkSpec } from './specs.ts';

export interface SinkDependencies {
  /** Folder of the configuration file: where relative paths in a spec start. */
  readonly baseDir: string;
  readonly logger?: EventLog;
  /** Addresses that sinks with a URL may call. Default: public ones alone. */
  readonly policy?: AddressPolicy;
}

/**
 * Makes the sink of a checked spec in this thread; the client library of a type is loaded with the first sink of it.
 * @throws SightlineError `SL_CONFIG_INVALID` for what the schema cannot see, such as a topic with wildcards
 */
export async function createDirectSink(
  spec: SinkSpec,
  dependencies: SinkDependencies,
): Promise<Sink> {
  const sink = await createUnfiltered(spec, dependencies);
  if (spec.when === undefined) return sink;
  const { FilteredSink } = await import('./filter/filtered-sink.ts');
  return new FilteredSink(sink, spec.when);
}

async function createUnfiltered(
  spec: SinkSpec,
  { baseDir, logger, policy }: SinkDependencies,
): Promise<Sink> {
  switch (spec.type) {
    case 'file': {
      const { FileSink } = await import('./file/sink.ts');
      return new FileSink(spec, { root: resolve(baseDir, spec.dir), ...(logger && { logger }) });
    }
    case 's3': {
      const { S3Sink } = await import('./s3/sink.ts');
      return new S3Sink(spec, logger);
    }
    case 'sqs': {
      const { SqsSink } = await import('./sqs/sink.ts');
      return new SqsSink(spec);
    }
    case 'kinesis': {
      const { KinesisSink } = await import('./kinesis/sink.ts');
      return new KinesisSink(spec);
    }
    case 'firehose': {
      const { FirehoseSink } = await import('./firehose/sink.ts');
      return new FirehoseSink(spec);
    }
    case 'eventbridge': {
      const { EventBridgeSink } = await import('./eventbridge/sink.ts');
      return new EventBridgeSink(spec);
    }
    case 'webhook': {
      const { WebhookSink } = await import('./webhook/sink.ts');
      return new WebhookSink(spec, { baseDir, policy });
    }
    case 'mqtt': {
      const { MqttSink } = await import('./mqtt/sink.ts');
      return new MqttSink(spec, { baseDir, logger });
    }
    case 'amqp': {
      const { AmqpSink } = await import('./amqp/sink.ts');
      return new AmqpSink(spec, baseDir);
    }
    case 'kafka': {
      const { KafkaSink } = await import('./kafka/sink.ts');
      return new KafkaSink(spec, baseDir);
    }
  }
}
