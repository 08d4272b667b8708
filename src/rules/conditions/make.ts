import { compileFrameTest, type OnError } from '../expression.ts';
import type { RuleSpec } from '../spec.ts';
import type { Condition } from './condition.ts';
import { LineCrossing } from './line-crossing.ts';
import { ObjectLeft } from './object-left.ts';
import { ClassAppears, crowd, expression, objectAbsent } from './presence.ts';
import { Dwell, ZonePassage } from './zone.ts';

/** Kinds that look at frames. That a camera has none is found without any. */
export type FrameRuleSpec = Exclude<RuleSpec, { readonly kind: 'camera-offline' }>;

/**
 * How to begin the memory of a rule for one more stream.
 * @throws SightlineError `SL_SPEC_INVALID` for an expression that cannot be used
 */
export function conditionMaker(spec: FrameRuleSpec, onError: OnError): () => Condition {
  switch (spec.kind) {
    case 'zone-enter':
    case 'zone-exit':
      return () => new ZonePassage(spec);
    case 'line-crossing':
      return () => new LineCrossing(spec);
    case 'dwell':
      return () => new Dwell(spec);
    case 'crowd':
      return () => crowd(spec);
    case 'object-left':
      return () => new ObjectLeft(spec);
    case 'object-absent':
      return () => objectAbsent(spec);
    case 'class-appears':
      return () => new ClassAppears(spec);
    case 'expression': {
      const test = compileFrameTest(spec.expression, onError);
      return () => expression(spec, test);
    }
  }
}
