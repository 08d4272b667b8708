import type { CapsFlow } from '../caps-flow.ts';
import type { CheckContext } from '../context.ts';
import type { GraphView } from '../graph-view.ts';
import { checkHardware } from './hardware.ts';
import { checkInference } from './infer.ts';
import { checkMetadata } from './metadata.ts';
import { checkEnvironment, checkMuxers } from './muxer.ts';
import { checkQueues } from './queues.ts';
import { checkSinks } from './sinks.ts';
import { checkSources } from './sources.ts';
import { checkTracking } from './track.ts';

/** What elements need of each other: rules that no property, pad or caps states. */
export function checkRules(view: GraphView, context: CheckContext, flow: CapsFlow): void {
  checkEnvironment(view, context);
  checkSources(view, context);
  checkMuxers(view, context, flow);
  checkInference(view, context);
  checkTracking(view, context);
  checkMetadata(view, context);
  checkQueues(view, context, flow);
  checkSinks(view, context, flow);
  checkHardware(view, context, flow);
}
