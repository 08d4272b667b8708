import type { SightlineError } from '../common/errors.ts';
import type { SegmentEvent } from '../common/segments.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { FallbackEvent, StreamPolicy } from './protocol.ts';
import { Session } from './session.ts';
import { newSessionId } from './session-id.ts';
import type { RulesOptions, SessionRules, StreamChange } from './session-rules.ts';
import { SharedStreams } from './shared-streams.ts';
import { SoleStream } from './sole-stream.ts';

export interface RunOptions {
  /** Without the sources of streams that are over or absent. */
  readonly graph: Graph;
  readonly policy: StreamPolicy;
  readonly over: ReadonlySet<string>;
  /** Streams whose source is left out, with the error that kept it from starting. */
  readonly absent: ReadonlyMap<string, SightlineError>;
  readonly rescueMs: number;
  /** A stream of this run changed its phase. */
  readonly onChange: (change: StreamChange, run: Run) => void;
  readonly onTold: (event: SegmentEvent | FallbackEvent) => void;
}

/** One session of a graph, and the last word on each of its streams. */
export class Run {
  readonly id = newSessionId();
  readonly graph: Graph;
  readonly session: Session;
  /** Rules of a graph with several streams. */
  readonly shared: SharedStreams | undefined;
  readonly #said = new Map<string, StreamChange>();

  constructor(options: RunOptions) {
    const { graph, policy, over, absent, rescueMs } = options;
    this.graph = graph;
    let shared: SharedStreams | undefined;
    const rules = ({ end }: Pick<RulesOptions, 'end'>): SessionRules => {
      const onChange = (change: StreamChange) => {
        this.#said.set(change.streamId, change);
        options.onChange(change, this);
      };
      const common = { graph, policy, end, onChange };
      if (graph.streams.length <= 1) return new SoleStream(common);
      shared = new SharedStreams({ ...common, over, absent, rescueMs });
      return shared;
    };
    const { onTold } = options;
    this.session = new Session({ id: this.id, graph, policy, rules, onTold });
    this.shared = shared;
  }

  /** The last change of each stream; none of a stream that still connects. */
  get said(): readonly StreamChange[] {
    return [...this.#said.values()];
  }

  hasPictures(streamId: string): boolean {
    const phase = this.#said.get(streamId)?.phase;
    return phase === 'live' || phase === 'degraded';
  }
}
