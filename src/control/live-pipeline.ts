import { SightlineError } from '../common/errors.ts';
import type { PropertyChange } from '../pipeline/graph-changes.ts';
import type { PipelineSpec, StreamSpec } from '../pipeline/spec.ts';
import { withZones } from '../pipeline/zones.ts';
import type { EventLog } from './event-log.ts';
import { analyticsChanges, changesFor, streamsOf, undoSkip } from './live-commands.ts';
import type { PipelineSupervisor } from './pipeline-supervisor.ts';
import type { CompiledPipeline, Json, JsonObject, LiveChange, LiveCommand } from './types.ts';

/** A spec with the compiler's method for it: it can be compiled again with a part of it changed. */
export interface Recipe<S extends StreamSpec | PipelineSpec = StreamSpec | PipelineSpec> {
  readonly spec: S;
  readonly compile: (spec: S) => CompiledPipeline | Promise<CompiledPipeline>;
}

/** How a command is told and kept: name and value of what it changes. Undefined: it changes no setting. */
function settingOf(command: LiveCommand): readonly [name: string, value: Json] | undefined {
  switch (command.kind) {
    case 'infer-interval':
      return ['inferInterval', command.interval];
    case 'skip-frames':
      return ['skipFrames', command.mode];
    case 'drop-frame-interval':
      return ['dropFrameInterval', command.interval];
    case 'zones':
      return ['zones', structuredClone(command.zones) as unknown as Json];
    case 'analytics-reload':
      return undefined;
  }
}

/** Changes a pipeline while it runs. Changes of one pipeline are made one after the other. */
export class LivePipeline {
  readonly #supervisor: PipelineSupervisor;
  readonly #events: EventLog;
  readonly #changes = new Map<string, Record<string, Json>>();
  #recipe: Recipe;
  #last: Promise<unknown> = Promise.resolve();

  constructor(supervisor: PipelineSupervisor, recipe: Recipe, events: EventLog) {
    this.#supervisor = supervisor;
    this.#recipe = recipe;
    this.#events = events;
  }

  /** What of a stream was changed since it was made; undefined when nothing was. */
  changes(streamId: string): JsonObject | undefined {
    const changes = this.#changes.get(streamId);
    return changes && { ...changes };
  }

  /** See Orchestrator.control(). */
  control(streamId: string, command: LiveCommand): Promise<LiveChange> {
    const done = this.#last.then(() => this.#control(streamId, command));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #control(streamId: string, command: LiveCommand): Promise<LiveChange> {
    const graph = this.#supervisor.graphOf(streamId);
    const { changes, recipe } = await this.#plan(streamId, command);
    if (changes.length === 0) throw unsupported(streamId, command);
    const taken = await this.#supervisor.set(graph.id, changes);
    const applied = taken.some(Boolean);
    if (command.kind === 'skip-frames' && !applied && this.#supervisor.isLive(streamId)) {
      // The pipeline runs, and with a decoder that has no skipper before it.
      await this.#supervisor.set(graph.id, undoSkip(graph, changes));
      throw unsupported(streamId, command);
    }
    this.#recipe = recipe;
    const streams = streamsOf(graph, changes);
    for (const id of streams) this.#note(id, command, applied);
    return { applied, streams };
  }

  async #plan(
    streamId: string,
    command: LiveCommand,
  ): Promise<{ changes: readonly PropertyChange[]; recipe: Recipe }> {
    const graph = this.#supervisor.graphOf(streamId);
    if (command.kind !== 'zones') {
      return { changes: changesFor(graph, streamId, command), recipe: this.#recipe };
    }
    const spec = withZones(this.#recipe.spec, streamId, command.zones);
    const compiled = await this.#recipe.compile(spec);
    const fresh = compiled.graphs.find(({ id }) => id === graph.id);
    const changes = fresh === undefined ? [] : analyticsChanges(graph, fresh, streamId);
    return { changes, recipe: { ...this.#recipe, spec } };
  }

  #note(streamId: string, command: LiveCommand, applied: boolean): void {
    const { pipelineId } = this.#supervisor;
    const setting = settingOf(command);
    if (setting !== undefined) {
      const [name, value] = setting;
      this.#changes.set(streamId, { ...this.#changes.get(streamId), [name]: value });
    }
    const facts = setting === undefined ? {} : { value: setting[1] };
    this.#events.emit('stream.changed', {
      ...{ streamId, pipelineId, change: command.kind, applied },
      ...facts,
    });
  }
}

const LACKS: Readonly<Record<LiveCommand['kind'], string>> = {
  'infer-interval': 'has no detector whose interval can be changed',
  'skip-frames':
    'has no decoder whose frames can be skipped (H.264 and H.265 have, but not inside of an nvurisrcbin)',
  'drop-frame-interval': 'has no place behind its decoder where frames can be dropped',
  zones: 'was made without "analytics" in its spec',
  'analytics-reload': 'was made without "analytics" in its spec',
};

function unsupported(streamId: string, { kind }: LiveCommand): SightlineError {
  return new SightlineError(
    'SL_BACKEND_UNSUPPORTED',
    `Cannot change stream '${streamId}' (${kind}) while it runs: it ${LACKS[kind]}`,
  );
}
