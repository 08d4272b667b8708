import type { BlackBoxEntry, BlackBoxKind } from '../../common/black-box.ts';
import { graphDot } from '../../pipeline/dot.ts';
import type { Graph } from '../../pipeline/graph.ts';
import type { EventLog } from '../event-log.ts';
import type { Scrubber } from '../scrubber.ts';
import { sealSpec } from '../sealed-spec.ts';
import type { SupervisedStream } from '../supervised-stream.ts';
import type { CompiledPipeline } from '../types.ts';
import type { WorkerProcess } from '../worker-process.ts';
import type { IncidentTexts } from './incident-files.ts';

const EVENTS_KEPT = 50;
/** Of all events, the newest that are looked through for the pipeline's own. */
const EVENTS_SEARCHED = 2_000;
const DOT_LIMIT_MS = 1_000;

export interface IncidentSources {
  readonly pipeline: CompiledPipeline;
  readonly graphs: readonly Graph[];
  readonly streams: readonly SupervisedStream[];
  readonly events: EventLog;
  readonly scrubber: Scrubber;
  readonly stderrTail: readonly string[];
  readonly blackBox: readonly BlackBoxEntry[];
  /** Still there, though it may not answer. */
  readonly worker?: WorkerProcess;
}

/** What is kept of an incident, by file name, without secrets. All but the drawing is collected at once. */
export async function incidentTexts(sources: IncidentSources): Promise<IncidentTexts> {
  const { pipeline, graphs, streams, events, scrubber, worker } = sources;
  const { pipelineId } = pipeline;
  const own = events
    .recent(EVENTS_SEARCHED)
    .filter((event) => event.pipelineId === pipelineId)
    .slice(-EVENTS_KEPT);
  const counters = streams.map((stream) => [stream.id, stream.status()] as const);
  const json = (value: unknown) => JSON.stringify(scrubber.json(value), null, 2);
  const texts: Record<string, string> = {
    'spec.json': json(pipeline.streams.map(({ id, spec }) => ({ id, spec: sealSpec(spec).open }))),
    'counters.json': json(Object.fromEntries(counters)),
    'events.json': json(own),
    'stderr.txt': scrubber.text(sources.stderrTail.join('\n')),
    'gst.log': scrubber.text(logOf(sources.blackBox, 'log')),
    'bus.log': scrubber.text(logOf(sources.blackBox, 'bus')),
    'worker.log': scrubber.text(logOf(sources.blackBox, 'milestone')),
  };
  const drawn = worker && (await drawnBy(worker, graphs));
  texts['graph.dot'] = scrubber.text(drawn ?? graphDot(graphs));
  return texts;
}

/** As GStreamer draws them; undefined when the worker does not answer in time. */
async function drawnBy(
  worker: WorkerProcess,
  graphs: readonly Graph[],
): Promise<string | undefined> {
  const signal = AbortSignal.timeout(DOT_LIMIT_MS);
  try {
    const drawings = await Promise.all(graphs.map(({ id }) => worker.dot(id, { signal })));
    return drawings.length === 0 ? undefined : drawings.join('\n');
  } catch {
    return undefined;
  }
}

function logOf(entries: readonly BlackBoxEntry[], kind: BlackBoxKind): string {
  const nowNs = process.hrtime.bigint();
  const nowMs = Date.now();
  const lines = entries
    .filter((entry) => entry.kind === kind)
    .map(({ monotonicNs, level, text }) => {
      const at = new Date(nowMs - Number((nowNs - monotonicNs) / 1_000_000n)).toISOString();
      return [at, level, text].filter((part) => part !== undefined).join(' ');
    });
  return lines.map((line) => `${line}\n`).join('');
}
