import type { Logger } from '../../common/logger.ts';
import { Secret } from '../../common/secret.ts';
import { AmqpFrameQueue } from '../../inference/amqp/queue.ts';
import type { FrameQueue } from '../../inference/frame-queue.ts';
import { SqsFrameQueue } from '../../inference/sqs/queue.ts';
import { connectOptions } from '../../sinks/amqp/settings.ts';
import type { InferConfig } from './config.ts';

/** The queue of the configuration; it is reached when it is first asked, or later. */
export function openQueue(
  { queue, limits }: Pick<InferConfig, 'queue' | 'limits'>,
  baseDir: string,
  logger: Logger,
): FrameQueue {
  if (queue.type === 'sqs') return new SqsFrameQueue({ ...queue, logger });
  const password = queue.password === undefined ? undefined : new Secret(queue.password);
  return new AmqpFrameQueue({
    connect: () => connectOptions({ ...queue, id: 'infer' }, password, baseDir),
    queue: queue.queue,
    prefetch: Math.min(65_535, limits.maxFrames),
    deadLetterExchange: queue.deadLetterExchange,
    rejectsPoison: queue.rejectPoison,
    logger,
  });
}
