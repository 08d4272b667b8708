import { resolve } from 'node:path';
import type { Sink } from '../common/delivery.ts';
import type { Logger } from '../common/logger.ts';
import { FileSink } from './file.ts';
import { MqttSink } from './mqtt.ts';
import { S3Sink } from './s3.ts';
import type { SinkSpec } from './specs.ts';
import { SqsSink } from './sqs.ts';

export interface SinkDependencies {
  /** Folder of the configuration file: where relative paths in a spec start. */
  readonly baseDir: string;
  readonly logger?: Logger;
}

/**
 * Makes the sink of a checked spec. It connects when it first delivers: one that is away is no reason not to start.
 * @throws SightlineError `SL_CONFIG_INVALID` for what the schema cannot see, such as a topic with wildcards
 */
export function createSink(spec: SinkSpec, { baseDir, logger }: SinkDependencies): Sink {
  switch (spec.type) {
    case 'file':
      return new FileSink(spec, { root: resolve(baseDir, spec.dir), ...(logger && { logger }) });
    case 's3':
      return new S3Sink(spec);
    case 'sqs':
      return new SqsSink(spec);
    case 'mqtt':
      return new MqttSink(spec, baseDir);
  }
}
