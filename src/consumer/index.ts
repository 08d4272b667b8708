/**
 * Reading what Sightline's sinks send: `import { decodeMessage, SqsConsumer } from 'sightline/consumer'`. Needs nothing of
 * the server.
 */
export { EpochFence } from '../common/epoch-fence.ts';
export { type ErrorCode, SightlineError } from '../common/errors.ts';
export type { FrameJson, ObjectJson } from '../metadata/frame.ts';
export type { RecordedFrameJson, SegmentJson } from '../metadata/segment-json.ts';
export type { RawAttributes } from './attributes.ts';
export { type ClaimedBody, fetchClaim } from './claim-check.ts';
export { decodeMessage } from './decode.ts';
export type { DeepStreamFrame, DeepStreamObject } from './deepstream.ts';
export { readFile } from './files.ts';
export type {
  DeepStreamRecord,
  EventRecord,
  FrameRecord,
  ImageRecord,
  SegmentRecord,
  SightlineRecord,
} from './records.ts';
export { rejectStale } from './reject-stale.ts';
export { SeenRecords } from './seen.ts';
export { readSqsMessage, SqsConsumer, type SqsConsumerOptions } from './sqs.ts';
export {
  type AmqpMessage,
  fromAmqp,
  fromHttp,
  fromKafka,
  fromMqtt,
  type KafkaMessage,
  type MqttPacket,
} from './transports.ts';
