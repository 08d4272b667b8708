import { ASSIGNMENTS } from './assignment-book.ts';
import { readShard } from './assignment-documents.ts';
import { ASSIGNER_KEY } from './leadership.ts';
import { nodeOf, readReport } from './node-report.ts';
import type { FleetStore } from './store.ts';

export interface FleetNodePicture {
  readonly id: string;
  /** `released`: nobody holds its lease: it left, or was found lost. */
  readonly state: 'held' | 'released';
  /** How often its lease was acquired. */
  readonly token: number;
  readonly capacity: number;
  readonly used: number;
  /** Whether it runs detectors: not a receiver. */
  readonly detector: boolean;
  readonly streams: number;
}

export interface FleetAssignmentPicture {
  readonly streamId: string;
  readonly node?: string;
  readonly epoch: number;
  readonly state: 'assigned' | 'draining' | 'unassigned';
}

/** The whole fleet as its store has it now. */
export interface FleetPicture {
  readonly leader?: string;
  readonly nodes: readonly FleetNodePicture[];
  readonly assignments: readonly FleetAssignmentPicture[];
}

/** Reads leases and assignments. Throws as the store does. */
export async function pictureOf(store: FleetStore): Promise<FleetPicture> {
  const [leases, shards] = await Promise.all([store.leases(), store.documents(ASSIGNMENTS)]);
  const assignments = shards
    .flatMap(({ body }) => readShard(body))
    .map(([streamId, { node, epoch, draining }]): FleetAssignmentPicture => {
      if (node === '') return { streamId, epoch, state: 'unassigned' };
      return { streamId, node, epoch, state: draining ? 'draining' : 'assigned' };
    })
    .sort((a, b) => (a.streamId < b.streamId ? -1 : 1));
  const streams = new Map<string, number>();
  for (const { node } of assignments) {
    if (node !== undefined) streams.set(node, (streams.get(node) ?? 0) + 1);
  }
  const nodes = leases.flatMap(({ key, owner, token, data }): FleetNodePicture[] => {
    const id = nodeOf(key);
    if (id === undefined) return [];
    const { capacity, used, detector } = readReport(data);
    const state = owner === '' ? 'released' : 'held';
    return [{ id, state, token, capacity, used, detector, streams: streams.get(id) ?? 0 }];
  });
  const leader = leases.find(({ key, owner }) => key === ASSIGNER_KEY && owner !== '')?.data;
  return { ...(leader === undefined ? {} : { leader }), nodes, assignments };
}
