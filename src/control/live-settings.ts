import { isDeepStrictEqual } from 'node:util';
import type { PipelineSpec, StreamSpec } from '../pipeline/spec.ts';
import { withZones } from '../pipeline/zones.ts';
import type { CompiledPipeline, Json, JsonObject, LiveCommand } from './types.ts';

/** A command that sets something. */
type Setting = Exclude<LiveCommand, { kind: 'analytics-reload' }>;
type Settings = { [K in Setting['kind']]?: Extract<Setting, { kind: K }> };

/** How a setting is told: name and value. */
function shownAs(setting: Setting): readonly [name: string, value: Json] {
  switch (setting.kind) {
    case 'infer-interval':
      return ['inferInterval', setting.interval];
    case 'skip-frames':
      return ['skipFrames', setting.mode];
    case 'drop-frame-interval':
      return ['dropFrameInterval', setting.interval];
    case 'zones':
      return ['zones', structuredClone(setting.zones) as unknown as Json];
  }
}

/** What of a pipeline's streams was set while they ran, apart from their spec. */
export class LiveSettings {
  readonly #asked = new Map<string, Settings>();
  readonly #imposed = new Map<string, number>();

  /** Keeps what the command sets, and returns its value; undefined for one that sets nothing. */
  note(streamId: string, command: LiveCommand): Json {
    if (command.kind === 'analytics-reload') return undefined;
    this.#asked.set(streamId, { ...this.#asked.get(streamId), [command.kind]: command });
    return shownAs(command)[1];
  }

  /** Undefined when nothing was set. */
  shown(streamId: string): JsonObject | undefined {
    const asked = this.#asked.get(streamId);
    return asked && Object.fromEntries(Object.values(asked).map(shownAs));
  }

  impose(streamId: string, interval: number): void {
    if (interval > 0) this.#imposed.set(streamId, interval);
    else this.#imposed.delete(streamId);
  }

  imposed(streamId: string): number {
    return this.#imposed.get(streamId) ?? 0;
  }

  /** The inference interval that was asked for, by a command or else by the spec. */
  interval(streamId: string, compiled: CompiledPipeline): number {
    const asked = this.#asked.get(streamId)?.['infer-interval'];
    return asked?.interval ?? specOf(compiled, streamId)?.infer?.interval ?? 0;
  }

  /** The spec with the zones that were set. */
  withAllZones<S extends StreamSpec | PipelineSpec>(spec: S): S {
    const present = new Set('streams' in spec ? spec.streams.map(({ id }) => id) : [spec.id]);
    let result = spec;
    for (const [streamId, { zones }] of this.#asked) {
      if (zones !== undefined && present.has(streamId)) {
        result = withZones(result, streamId, zones.zones);
      }
    }
    return result;
  }

  /** What sets properties of the streams' graph anew, with what is imposed in it. */
  commands(
    streamIds: readonly string[],
    compiled: CompiledPipeline,
  ): readonly (readonly [streamId: string, Exclude<Setting, { kind: 'zones' }>])[] {
    return streamIds.flatMap((id) => {
      const { zones: _zones, 'infer-interval': asked, ...rest } = this.#asked.get(id) ?? {};
      const imposed = this.imposed(id);
      const interval = Math.max(this.interval(id, compiled), imposed);
      const needed = asked !== undefined || imposed > 0;
      const detector = needed ? [{ kind: 'infer-interval' as const, interval }] : [];
      return [...Object.values(rest), ...detector].map((setting) => [id, setting] as const);
    });
  }

  /** What stays when the pipeline becomes another one: all but what the spec itself changes, of streams that stay. */
  survivingIn(was: CompiledPipeline, next: CompiledPipeline): LiveSettings {
    const surviving = new LiveSettings();
    for (const [id, asked] of this.#asked) {
      const [before, after] = [specOf(was, id), specOf(next, id)];
      if (after === undefined) continue;
      const kept: Settings = { ...asked };
      if (before?.infer?.interval !== after.infer?.interval) delete kept['infer-interval'];
      if (!isDeepStrictEqual(before?.analytics?.zones, after.analytics?.zones)) delete kept.zones;
      if (Object.keys(kept).length > 0) surviving.#asked.set(id, kept);
    }
    for (const [id, interval] of this.#imposed) {
      if (specOf(next, id) !== undefined) surviving.#imposed.set(id, interval);
    }
    return surviving;
  }
}

function specOf({ streams }: CompiledPipeline, streamId: string): StreamSpec | undefined {
  return streams.find(({ id }) => id === streamId)?.spec;
}
