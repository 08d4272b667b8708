import { setTimeout as delay } from 'node:timers/promises';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import type { Fates } from '../fates.ts';
import type { Cluster, Topic } from './cluster.ts';
import {
  clientError,
  codeError,
  DUPLICATE_SEQUENCE,
  isLostSession,
  isRejected,
  isStale,
  OK,
} from './errors.ts';
import { Lane, type Outgoing } from './lane.ts';
import type { Compression } from './record-batch.ts';
import { type ProduceResponse, type ProducerIdentity, produce } from './requests.ts';

/** A batch whose leader moved or whose connection broke is sent again, after these waits; then the outbox decides. */
const RESEND_WAITS_MS = [50, 200, 800];
/** A broker that slows this producer down for longer is left alone until the outbox tries again. */
const MAX_THROTTLE_MS = 1000;
/** Sequence numbers begin anew after 2^31 - 1. */
const SEQUENCES = 2 ** 31;

export interface RunOptions {
  readonly acks: 'all' | 'leader';
  readonly compression: Compression;
  /** How long a leader may wait for its replicas. */
  readonly timeoutMs: number;
}

/** What the brokers know this producer by, and how many records it wrote to each partition. */
export interface Session {
  readonly identity: ProducerIdentity;
  readonly sequences: Map<string, number>;
}

export type Topics = ReadonlyMap<string, Topic | SightlineError>;

type PartitionAnswer = ProduceResponse['responses'][number]['partitionResponses'][number];

/** The messages of one attempt. */
export class Run {
  readonly #cluster: Cluster;
  readonly #options: RunOptions;
  readonly #fates: Fates;
  readonly #signal: AbortSignal;
  readonly #lanes = new Map<string, Lane>();
  /** Topics whose leaders must be asked for again. */
  #stale = new Set<string>();
  #refreshes = 0;
  #isSessionSound = true;

  constructor(cluster: Cluster, options: RunOptions, fates: Fates, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#options = options;
    this.#fates = fates;
    this.#signal = signal;
  }

  get isDone(): boolean {
    return [...this.#lanes.values()].every(({ isDone }) => isDone);
  }

  add(outgoing: Outgoing, partition: number, { maxBatchBytes }: Topic): void {
    const id = laneId(outgoing.topic, partition);
    let lane = this.#lanes.get(id);
    if (lane === undefined) {
      lane = new Lane(outgoing.topic, partition, maxBatchBytes);
      this.#lanes.set(id, lane);
    }
    lane.add(outgoing);
  }

  /**
   * Sends until every message has its fate. @throws the reason of the signal
   * @returns whether `session` is good for another run
   */
  async go(session: Session, topics: Topics): Promise<boolean> {
    let known = topics;
    while (!this.isDone) {
      if (this.#stale.size > 0) known = await this.#refresh(known);
      const byNode = this.#lanesByLeader(known);
      await Promise.all([...byNode].map(([node, lanes]) => this.#sendTo(node, lanes, session)));
      this.#signal.throwIfAborted();
    }
    return this.#isSessionSound;
  }

  #lanesByLeader(known: Topics): ReadonlyMap<number, Lane[]> {
    const byNode = new Map<number, Lane[]>();
    for (const lane of this.#lanes.values()) {
      if (lane.isDone) continue;
      const topic = known.get(lane.topic)!;
      if (topic instanceof SightlineError) {
        this.#fail(lane, topic);
        continue;
      }
      const leader = topic.leaders[lane.partition];
      const others = leader === undefined ? undefined : byNode.get(leader);
      if (leader === undefined) this.#again(lane, codeError(5, whatOf(lane)));
      else if (others === undefined) byNode.set(leader, [lane]);
      else others.push(lane);
    }
    return byNode;
  }

  async #refresh(known: Topics): Promise<Topics> {
    const names = [...this.#stale];
    this.#stale = new Set();
    const waitMs = RESEND_WAITS_MS[this.#refreshes++] ?? RESEND_WAITS_MS.at(-1);
    await delay(waitMs, undefined, { signal: this.#signal }).catch(() => undefined);
    this.#signal.throwIfAborted();
    for (const name of names) this.#cluster.forget(name);
    try {
      return new Map([...known, ...(await this.#cluster.topics(names, this.#signal))]);
    } catch (thrown) {
      this.#signal.throwIfAborted();
      const error = toSightlineError(thrown);
      return new Map([...known, ...names.map((name) => [name, error] as const)]);
    }
  }

  async #sendTo(node: number, lanes: readonly Lane[], session: Session): Promise<void> {
    const batches = lanes.flatMap((lane) => this.#batchOf(lane, session));
    if (batches.length === 0) return;
    const { acks, timeoutMs } = this.#options;
    const settings = { acks: acks === 'all' ? -1 : 1, timeoutMs };
    try {
      const connection = await this.#cluster.node(node, this.#signal);
      const answer = await produce(connection, settings, batches, this.#signal);
      this.#settle(lanes, answer, session);
      await this.#obeyThrottle(lanes, answer.throttleTimeMs, node);
    } catch (thrown) {
      this.#signal.throwIfAborted();
      const error = clientError(thrown, `write to Kafka broker ${node}`);
      for (const lane of lanes) {
        if (lane.isDone) continue;
        if (error.code === 'SL_SINK_UNAVAILABLE') this.#again(lane, error);
        else this.#fail(lane, error);
      }
    }
  }

  /** The batch a lane sends next, none when what is left of it cannot be sent. */
  #batchOf(lane: Lane, { identity, sequences }: Session) {
    const { topic, partition } = lane;
    while (!lane.isDone) {
      try {
        const chunk =
          lane.current ??
          lane.prepare({
            compression: this.#options.compression,
            producerId: identity.id,
            producerEpoch: identity.epoch,
            firstSequence: identity.id < 0 ? -1 : (sequences.get(laneId(topic, partition)) ?? 0),
          });
        return [{ topic, partition, bytes: chunk.bytes }];
      } catch (thrown) {
        this.#fates.fail(lane.dropFirst().message, thrown);
      }
    }
    return [];
  }

  #settle(lanes: readonly Lane[], { responses }: ProduceResponse, session: Session): void {
    const answers = new Map<string, PartitionAnswer>();
    for (const { name, partitionResponses } of responses) {
      for (const answer of partitionResponses) answers.set(laneId(name, answer.index), answer);
    }
    for (const lane of lanes) {
      if (lane.current === undefined) continue;
      const id = laneId(lane.topic, lane.partition);
      const answer = answers.get(id);
      if (answer === undefined) this.#again(lane, codeError(-1, whatOf(lane), 'not in the answer'));
      else if (answer.errorCode === OK || answer.errorCode === DUPLICATE_SEQUENCE) {
        const entries = lane.stored();
        const next = (session.sequences.get(id) ?? 0) + entries.length;
        session.sequences.set(id, next % SEQUENCES);
        for (const { message } of entries) this.#fates.accept(message);
      } else this.#refuse(lane, answer);
    }
  }

  #refuse(lane: Lane, { errorCode, errorMessage, recordErrors }: PartitionAnswer): void {
    const error = codeError(errorCode, whatOf(lane), errorMessage);
    if (isRejected(errorCode)) {
      const culprits = recordErrors.map(({ batchIndex }) => batchIndex);
      for (const { message } of lane.refused(culprits)) this.#fates.fail(message, error);
    } else if (isStale(errorCode)) this.#again(lane, error);
    else {
      if (isLostSession(errorCode)) this.#isSessionSound = false;
      this.#fail(lane, error);
    }
  }

  /** A broker that answers with a wait will not read from this producer until it is over. */
  async #obeyThrottle(lanes: readonly Lane[], waitMs: number, node: number): Promise<void> {
    const open = lanes.filter(({ isDone }) => !isDone);
    if (waitMs === 0 || open.length === 0) return;
    if (waitMs <= MAX_THROTTLE_MS) {
      await delay(waitMs, undefined, { signal: this.#signal }).catch(() => undefined);
      return;
    }
    const message = `Kafka broker ${node} slows this producer down (quota): the next write waits ${waitMs} ms`;
    const error = new SightlineError('SL_SINK_THROTTLED', message);
    for (const lane of open) this.#fail(lane, error);
  }

  #again(lane: Lane, error: SightlineError): void {
    if (lane.resends++ >= RESEND_WAITS_MS.length) this.#fail(lane, error);
    else this.#stale.add(lane.topic);
  }

  /** What is left of a lane stays for a later attempt, so that its order is kept. */
  #fail(lane: Lane, error: SightlineError): void {
    if (lane.current !== undefined) this.#isSessionSound = false;
    for (const { message } of lane.fail()) this.#fates.fail(message, error);
  }
}

function laneId(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

function whatOf({ topic, partition }: Lane): string {
  return `write to partition ${partition} of Kafka topic ${topic}`;
}
