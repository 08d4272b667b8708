import { isDeepStrictEqual } from 'node:util';
import { SightlineError } from '../common/errors.ts';
import type { Graph } from '../pipeline/graph.ts';
import { changeGraph, type PropertyChange } from '../pipeline/graph-changes.ts';
import type { PipelineSpec, StreamSpec } from '../pipeline/spec.ts';
import { withZones } from '../pipeline/zones.ts';
import { Serial } from './desired/serial.ts';
import type { EventLog } from './event-log.ts';
import type { ApplyOptions } from './lanes/pipeline-change.ts';
import { analyticsChanges, changesFor, streamsOf, undoSkip } from './live-commands.ts';
import { LiveSettings } from './live-settings.ts';
import type { PipelineSupervisor } from './pipeline-supervisor.ts';
import type {
  CompiledPipeline,
  JsonObject,
  LiveChange,
  LiveCommand,
  StreamChangeReport,
} from './types.ts';

/** A spec with the compiler's method for it: it can be compiled again with a part of it changed. */
export interface Recipe<S extends StreamSpec | PipelineSpec = StreamSpec | PipelineSpec> {
  readonly spec: S;
  readonly compile: (spec: S) => CompiledPipeline | Promise<CompiledPipeline>;
  /** What `compile` made of `spec`. */
  readonly compiled: CompiledPipeline;
}

/**
 * Changes a pipeline while it runs: by commands for one stream, by a new spec, by admission. Changes of one pipeline are
 * made one after the other. What commands and admission set outlives a new spec, unless that changes the same thing.
 */
export class LivePipeline {
  readonly #supervisor: PipelineSupervisor;
  readonly #events: EventLog;
  readonly #serial = new Serial();
  #settings = new LiveSettings();
  #recipe: Recipe;

  constructor(supervisor: PipelineSupervisor, recipe: Recipe, events: EventLog) {
    this.#supervisor = supervisor;
    this.#recipe = recipe;
    this.#events = events;
  }

  /** What of a stream was changed since it was made; undefined when nothing was. */
  changes(streamId: string): JsonObject | undefined {
    return this.#settings.shown(streamId);
  }

  /** Frames that the detector passes over after each one, as asked for; admission may impose more. */
  interval(streamId: string): number {
    return this.#settings.interval(streamId, this.#recipe.compiled);
  }

  /** The inference interval that admission imposes on a stream; 0: none. */
  imposed(streamId: string): number {
    return this.#settings.imposed(streamId);
  }

  /** See Orchestrator.control(). */
  control(streamId: string, command: LiveCommand): Promise<LiveChange> {
    return this.#serial.run(() => this.#control(streamId, command));
  }

  /** Goes over to another spec. Throws what the supervisor's apply() throws. */
  apply(recipe: Recipe, options: ApplyOptions): Promise<readonly StreamChangeReport[]> {
    return this.#serial.run(async () => {
      const settings = this.#settings.survivingIn(this.#recipe.compiled, recipe.compiled);
      const streams = await this.#supervisor.apply(await this.#overlaid(recipe, settings), options);
      this.#recipe = recipe;
      this.#settings = settings;
      return streams;
    });
  }

  /**
   * Makes the detector of the stream, and of those that share it, pass over at least `interval` frames after each one; 0
   * ends it. False when there is no detector whose interval can be changed, or nothing runs.
   */
  impose(streamId: string, interval: number): Promise<boolean> {
    return this.#serial.run(async () => {
      const graph = this.#supervisor.graphOf(streamId);
      const asked = this.#settings.interval(streamId, this.#recipe.compiled);
      const command = { kind: 'infer-interval', interval: Math.max(asked, interval) } as const;
      const changes = changesFor(graph, streamId, command);
      if (changes.length === 0) return false;
      await this.#supervisor.set(graph.id, changes);
      for (const id of streamsOf(graph, changes)) this.#settings.impose(id, interval);
      return true;
    });
  }

  async #control(streamId: string, command: LiveCommand): Promise<LiveChange> {
    const graph = this.#supervisor.graphOf(streamId);
    const changes = await this.#plan(graph, streamId, command);
    if (changes.length === 0) throw unsupported(streamId, command);
    const taken = await this.#supervisor.set(graph.id, changes);
    const applied = taken.some(Boolean);
    if (command.kind === 'skip-frames' && !applied && this.#supervisor.isLive(streamId)) {
      // The pipeline runs, and with a decoder that has no skipper before it.
      await this.#supervisor.set(graph.id, undoSkip(graph, changes));
      throw unsupported(streamId, command);
    }
    const streams = streamsOf(graph, changes);
    for (const id of streams) this.#note(id, command, applied);
    return { applied, streams };
  }

  async #plan(
    graph: Graph,
    streamId: string,
    command: LiveCommand,
  ): Promise<readonly PropertyChange[]> {
    if (command.kind === 'infer-interval') {
      const interval = Math.max(command.interval, this.#settings.imposed(streamId));
      return changesFor(graph, streamId, { ...command, interval });
    }
    if (command.kind !== 'zones') return changesFor(graph, streamId, command);
    const { spec, compile } = this.#recipe;
    const before = this.#settings.withAllZones(spec);
    const compiled = await compile(withZones(before, streamId, command.zones));
    const fresh = compiled.graphs.find(({ id }) => id === graph.id);
    return fresh === undefined ? [] : analyticsChanges(graph, fresh, streamId);
  }

  /** The pipeline as compiled, with what was set while the former one ran. */
  async #overlaid(recipe: Recipe, settings: LiveSettings): Promise<CompiledPipeline> {
    const spec = settings.withAllZones(recipe.spec);
    const same = isDeepStrictEqual(spec, recipe.spec);
    const compiled = same ? recipe.compiled : await recipe.compile(spec);
    const graphs = compiled.graphs.map((graph) =>
      settings
        .commands(graph.streams, recipe.compiled)
        .reduce(
          (changed, [id, command]) => changeGraph(changed, changesFor(changed, id, command)),
          graph,
        ),
    );
    return { ...compiled, graphs, streams: recipe.compiled.streams };
  }

  #note(streamId: string, command: LiveCommand, applied: boolean): void {
    const { pipelineId } = this.#supervisor;
    const value = this.#settings.note(streamId, command);
    this.#events.emit('stream.changed', {
      ...{ streamId, pipelineId, change: command.kind, applied },
      ...(value === undefined ? {} : { value }),
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
