/** What a node says of itself with every renewal of its lease. */
export interface NodeReport {
  /** Cores it gives to streams. */
  readonly capacity: number;
  /** Of them in use, as measured. */
  readonly used: number;
  /** Version of its view up to which everything that is not in it has ended. */
  readonly applied: number;
  /** Whether detectors run on it: not on a receiver. */
  readonly detector: boolean;
}

const PREFIX = 'node/';

export function nodeKey(node: string): string {
  return `${PREFIX}${node}`;
}

/** Undefined for a lease that is not of a node. */
export function nodeOf(key: string): string | undefined {
  return key.startsWith(PREFIX) ? key.slice(PREFIX.length) : undefined;
}

export function writeReport({ capacity, used, applied, detector }: NodeReport): string {
  return JSON.stringify({ capacity, used: Math.round(used * 100) / 100, applied, detector });
}

/** What it lacks counts as nothing, a node without capacity gets no stream; only receivers say that they run no detector. */
export function readReport(data: string): NodeReport {
  const read = JSON.parse(data || '{}') as Partial<NodeReport>;
  const { capacity = 0, used = 0, applied = 0, detector = true } = read;
  return { capacity, used, applied, detector };
}
