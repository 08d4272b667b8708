import type { Static } from 'typebox';
import { tagged } from '../common/schema.ts';
import { AmqpSinkSpec } from './amqp/spec.ts';
import { EventBridgeSinkSpec } from './eventbridge/spec.ts';
import { FileSinkSpec } from './file/spec.ts';
import { FirehoseSinkSpec } from './firehose/spec.ts';
import { KafkaSinkSpec } from './kafka/spec.ts';
import { KinesisSinkSpec } from './kinesis/spec.ts';
import { MqttSinkSpec } from './mqtt/spec.ts';
import { S3SinkSpec } from './s3/spec.ts';
import { SqsSinkSpec } from './sqs/spec.ts';
import { WebhookSinkSpec } from './webhook/spec.ts';

// What a configuration says about a sink. Schemas alone: reading a configuration must not load any client library.

const VARIANTS = [
  FileSinkSpec,
  S3SinkSpec,
  SqsSinkSpec,
  MqttSinkSpec,
  KafkaSinkSpec,
  WebhookSinkSpec,
  AmqpSinkSpec,
  KinesisSinkSpec,
  FirehoseSinkSpec,
  EventBridgeSinkSpec,
] as const;

/** Any sink, told apart by `type`. */
export const SinkSpec = tagged('type', [...VARIANTS]);
export type SinkSpec = Static<typeof SinkSpec>;

/** Every type of sink there is, sorted. */
export const SINK_TYPES = VARIANTS.map(({ properties }) => properties.type.const).sort();
