import type { TestContext } from 'node:test';
import { SqsSink } from '../../src/sinks/sqs/sink.ts';
import type { SqsSinkSpec } from '../../src/sinks/sqs/spec.ts';
import type { TestAws } from './aws-proxy.ts';

export const QUEUE = 'frames';

/** Closed with the test. */
export function makeSink(
  context: TestContext,
  aws: TestAws,
  spec: Partial<SqsSinkSpec> = {},
): SqsSink {
  const sink = new SqsSink({
    id: 'sqs',
    type: 'sqs',
    required: true,
    queue: QUEUE,
    kinds: ['frame', 'event'],
    format: 'protobuf',
    concurrency: 4,
    ...aws.client,
    ...spec,
  });
  context.after(() => sink.close());
  return sink;
}

export function attribute(
  message: { messageAttributes?: unknown },
  name: string,
): string | undefined {
  const all = message.messageAttributes as Record<string, { StringValue?: string }> | undefined;
  return all?.[name]?.StringValue;
}
