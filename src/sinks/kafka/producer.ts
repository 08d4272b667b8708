import { murmur2 } from '@platformatic/kafka';
import { SightlineError } from '../../common/errors.ts';
import type { Fates } from '../fates.ts';
import type { Cluster } from './cluster.ts';
import type { Outgoing } from './lane.ts';
import { askProducerId, type ProducerIdentity } from './requests.ts';
import { Run, type RunOptions, type Session } from './run.ts';

const MAX_KEPT_HASHES = 4096;
const NO_PRODUCER: ProducerIdentity = { id: -1n, epoch: -1 };

export interface ProducerOptions extends RunOptions {
  readonly isIdempotent: boolean;
}

/**
 * Writes messages to their partitions, those of one partition in order: one batch at a time, the next when it is stored.
 * A batch that may or may not have been stored is sent again with the same numbers, and the broker drops the second
 * one. When even that fails nobody knows, so the producer takes a new identity and the outbox sends it as new.
 */
export class Producer {
  readonly #cluster: Cluster;
  readonly #options: ProducerOptions;
  readonly #hashes = new Map<string, number>();
  #session: Session | undefined;

  constructor(cluster: Cluster, options: ProducerOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** @throws SightlineError when no broker answers; the reason of `signal`. All else stands in `fates` */
  async send(outgoing: readonly Outgoing[], fates: Fates, signal: AbortSignal): Promise<void> {
    const names = [...new Set(outgoing.map(({ topic }) => topic))];
    const topics = await this.#cluster.topics(names, signal);
    const run = new Run(this.#cluster, this.#options, fates, signal);
    for (const item of outgoing) {
      const topic = topics.get(item.topic)!;
      if (topic instanceof SightlineError) fates.fail(item.message, topic);
      else run.add(item, this.#hash(item.key) % topic.leaders.length, topic);
    }
    if (run.isDone) return;
    const session = await this.#open(signal);
    this.#session = undefined;
    if (await run.go(session, topics)) this.#session = session;
  }

  /** As Kafka's own clients do, so that a key is in the same partition whoever writes it. */
  #hash(key: string): number {
    const kept = this.#hashes.get(key);
    if (kept !== undefined) return kept;
    const hash = murmur2(Buffer.from(key)) & 0x7fffffff;
    if (this.#hashes.size >= MAX_KEPT_HASHES) this.#hashes.clear();
    this.#hashes.set(key, hash);
    return hash;
  }

  async #open(signal: AbortSignal): Promise<Session> {
    if (this.#session !== undefined) return this.#session;
    const sequences = new Map<string, number>();
    if (!this.#options.isIdempotent) return { identity: NO_PRODUCER, sequences };
    const identity = await askProducerId(await this.#cluster.any(signal), signal);
    return { identity, sequences };
  }
}
