import { setTimeout as delay } from 'node:timers/promises';
import { toSightlineError } from '../../../common/errors.ts';
import type { Logger } from '../../../common/logger.ts';
import type { SightlineRecord } from '../../../consumer/index.ts';
import type { InputSpec } from './specs.ts';

const RETRY_BASE_MS = 500;
const RETRY_CAP_MS = 30_000;

/** What an input does with the records of a message. The message is acknowledged when it resolves. */
export type Handle = (records: readonly SightlineRecord[]) => Promise<void>;

export interface InputOptions {
  readonly handle: Handle;
  /** Ends the reading; what is being handled is finished first. */
  readonly signal: AbortSignal;
  /** Told of a message that no sink of Sightline sends: it is acknowledged, since it would come again for ever. */
  readonly onUnreadable: (reason: string) => void;
  /** Where relative paths of files start. */
  readonly baseDir: string;
}

/** Reads until the signal, and returns; throws when the connection is lost. */
export type ReadInput<S extends InputSpec = InputSpec> = (
  spec: S,
  options: InputOptions & { readonly onConnected: () => void },
) => Promise<void>;

async function load({ type }: InputSpec): Promise<ReadInput> {
  switch (type) {
    case 'sqs':
      return (await import('./sqs.ts')).readSqs as ReadInput;
    case 'kafka':
      return (await import('./kafka.ts')).readKafkaGroup as ReadInput;
    case 'mqtt':
      return (await import('./mqtt.ts')).readMqtt as ReadInput;
    case 'amqp':
      return (await import('./amqp.ts')).readAmqp as ReadInput;
  }
}

/** Reads an input until the signal: whatever is lost is connected anew, with full jitter between 0.5 and 30 s. */
export async function runInput(
  spec: InputSpec,
  options: InputOptions & { readonly logger: Logger },
): Promise<void> {
  const { signal, logger } = options;
  const read = await load(spec);
  const { id, type } = spec;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const onConnected = () => {
        failures = 0;
        logger.info({ input: id, type }, 'input.connected');
      };
      await read(spec, { ...options, onConnected });
    } catch (thrown) {
      if (signal.aborted) return;
      const { code, message } = toSightlineError(thrown);
      const bound = Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** failures++);
      const retryInMs = Math.round(bound * (0.5 + Math.random() / 2));
      logger.warn({ input: id, type, code, reason: message, retryInMs }, 'input.lost');
      await delay(retryInMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
