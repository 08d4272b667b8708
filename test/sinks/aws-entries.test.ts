import { describe } from 'node:test';
import { noMoto } from '../support/moto.ts';
import { eventBridgeTests } from './aws-entries/eventbridge.ts';
import { firehoseTests } from './aws-entries/firehose.ts';
import { kinesisTests } from './aws-entries/kinesis.ts';
import { EntriesWorld } from './aws-entries/world.ts';

describe('sinks of AWS with an answer per entry', { skip: noMoto }, () => {
  const world = new EntriesWorld();
  kinesisTests(world);
  firehoseTests(world);
  eventBridgeTests(world);
});
