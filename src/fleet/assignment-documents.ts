import { hashOf } from './hash.ts';

/** Who runs a stream. */
export interface Assignment {
  /** Empty: nobody now. */
  readonly node: string;
  /** Of the node's lease: a node that lost its lease and got it again owns nothing of before. */
  readonly token: number;
  /** Grows by one with every new owner, and stays when there is none. */
  readonly epoch: number;
  /** Of the desired stream that the owner is to run. */
  readonly generation: number;
  /** The owner is to end it, and somebody else gets it when it has. */
  readonly draining: boolean;
}

/** What a node reads: all that it is to run. */
export interface NodeView {
  readonly token: number;
  readonly streams: ReadonlyMap<string, ToRun>;
}

export type ToRun = Pick<Assignment, 'epoch' | 'generation'>;

/** Documents that hold the truth, by the hash of the stream: one stays small however many streams there are. */
export const SHARDS = 64;

export function shardOf(stream: string): string {
  return String(hashOf(stream) % SHARDS);
}

type ShardLine = readonly [
  node: string,
  token: number,
  epoch: number,
  generation: number,
  d: 0 | 1,
];

export function writeShard(assignments: Iterable<readonly [string, Assignment]>): string {
  const lines = [...assignments]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([stream, { node, token, epoch, generation, draining }]) => {
      const line: ShardLine = [node, token, epoch, generation, draining ? 1 : 0];
      return [stream, line] as const;
    });
  return JSON.stringify(Object.fromEntries(lines));
}

export function readShard(body: string): readonly (readonly [string, Assignment])[] {
  const lines = JSON.parse(body) as Readonly<Record<string, ShardLine>>;
  return Object.entries(lines).map(
    ([stream, [node, token, epoch, generation, draining]]) =>
      [stream, { node, token, epoch, generation, draining: draining === 1 }] as const,
  );
}

export function writeView({ token, streams }: NodeView): string {
  const lines = [...streams]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, { epoch, generation }]) => [id, [epoch, generation]]);
  return JSON.stringify({ token, streams: Object.fromEntries(lines) });
}

export function readView(body: string): NodeView {
  const read = JSON.parse(body) as {
    token: number;
    streams: Readonly<Record<string, readonly [number, number]>>;
  };
  const streams = Object.entries(read.streams).map(
    ([id, [epoch, generation]]) => [id, { epoch, generation }] as const,
  );
  return { token: read.token, streams: new Map(streams) };
}
