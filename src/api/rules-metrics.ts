import type { RulesView } from './dependencies.ts';
import type { MakeCounter, MakeGauge } from './supervision-metrics.ts';

/** What rules read and found; nothing where there are none. */
export function renderRules(
  rules: RulesView | undefined,
  counter: MakeCounter,
  gauge: MakeGauge,
): void {
  if (rules === undefined) return;
  const { frames, late, unusable, stale, unreadable, waiting, lagMs } = rules.counts();
  const read = counter('sightline_rules_records_total', 'Records that came to the rules', [
    'result',
  ]);
  const results = { used: frames - late - unusable, late, unusable, stale, unreadable };
  for (const [result, count] of Object.entries(results)) read.inc({ result }, count);
  const of = (name: string, help: string) => counter(`sightline_rules_${name}`, help, ['rule']);
  const events = of('events_total', 'Interesting events that were found');
  const suppressed = of('suppressed_total', 'Findings that were not told because of the cool-down');
  const errors = of('errors_total', 'Frames and objects for which the expression had no value');
  for (const { id, ...rule } of rules.list()) {
    const label = { rule: id };
    events.inc(label, rule.fired);
    suppressed.inc(label, rule.suppressed);
    errors.inc(label, rule.errors);
  }
  const unsaid = 'Events that are found and not stored yet';
  gauge('sightline_rules_events_waiting', unsaid).set(waiting);
  if (lagMs === undefined) return;
  const help = 'From the capture of the last frame that rules looked at to that look';
  gauge('sightline_rules_lag_seconds', help).set(lagMs / 1000);
}
