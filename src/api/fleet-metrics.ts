import type { FleetControl } from './dependencies.ts';
import { histogramText } from './histogram-text.ts';
import type { MakeCounter, MakeGauge } from './supervision-metrics.ts';

/** This server's part in its fleet; returns the histogram as text. Each node tells its own: a sum over all is the fleet. */
export function renderFleet(
  fleet: FleetControl | undefined,
  counter: MakeCounter,
  gauge: MakeGauge,
): string {
  if (fleet === undefined) return '';
  const { node, streams, held, lost, refused, moves, renewals } = fleet.figures();
  gauge('sightline_assignments', 'Streams the fleet lets this node run', ['worker']).set(
    { worker: node },
    streams,
  );
  gauge('sightline_lease_held', '1 while the node can prove its lease', ['worker']).set(
    { worker: node },
    held ? 1 : 0,
  );
  const moved = counter(
    'sightline_assignment_moves_total',
    'Streams that this node, as the assigner, gave to an owner, by why they had none',
    ['reason'],
  );
  for (const [reason, count] of Object.entries(moves)) moved.inc({ reason }, count);
  counter('sightline_lease_lost_total', 'Times the node lost its lease', []).inc(lost);
  counter(
    'sightline_fleet_records_refused_total',
    'Records not taken because the lease could not be proved',
    [],
  ).inc(refused);
  const named = [{ labels: {}, view: renewals }];
  const help = 'Duration of one renewal of the node’s lease';
  return histogramText('sightline_lease_renew_duration_seconds', help, named);
}
