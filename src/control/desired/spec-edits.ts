import { checkValue, problemsError } from '../../common/check.ts';
import { SightlineError } from '../../common/errors.ts';
import { mergePatch } from '../../common/merge-patch.ts';
import { PipelineSpec, PipelineStream, StreamSpec } from '../../pipeline/spec.ts';
import type { Json, JsonObject, PipelineView } from '../types.ts';
import { isObject, withKeptSecrets } from './kept-secrets.ts';

/** A spec with what kind it is of, as desired; secrets included. */
export interface KindedSpec {
  readonly kind: PipelineView['kind'];
  readonly spec: JsonObject;
}

const STREAM_KEYS: ReadonlySet<string> = new Set(Object.keys(PipelineStream.properties));

export function streamIdsOf({ kind, spec }: KindedSpec): readonly string[] {
  if (kind === 'stream') return [String(spec['id'])];
  return streamsOf(spec).map(({ id }) => String(id));
}

/** The same as the spec of a pipeline: a stream made alone is the one stream of a pipeline with its id. */
export function asPipeline({ kind, spec }: KindedSpec): JsonObject {
  if (kind === 'pipeline') return spec;
  const entries = Object.entries(spec);
  const stream = Object.fromEntries(entries.filter(([key]) => STREAM_KEYS.has(key)));
  const shared = Object.fromEntries(entries.filter(([key]) => !STREAM_KEYS.has(key)));
  return { id: spec['id'], ...shared, streams: [stream] };
}

/** What to show for one stream before the spec is compiled: the settings of its pipeline, and its own. */
export function streamSpecOf(desired: KindedSpec, streamId: string): JsonObject {
  if (desired.kind === 'stream') return desired.spec;
  const { id: _id, streams: _streams, ...shared } = desired.spec;
  return { ...shared, ...streamsOf(desired.spec).find(({ id }) => id === streamId) };
}

/** A new spec for a pipeline, the kept secrets in the places where it says `***`. */
export function replaced(next: JsonObject, before: KindedSpec | undefined): KindedSpec {
  const subject = `pipeline "${next['id']}"`;
  const spec = withKeptSecrets(next, before && asPipeline(before), subject);
  return { kind: 'pipeline', spec };
}

/** The spec after a merge patch. Throws `SL_SPEC_INVALID`, also for a patch of the id. */
export function patched(before: KindedSpec, patch: JsonObject): KindedSpec {
  const { kind } = before;
  const id = String(before.spec['id']);
  const subject = `the patch of ${kind} "${id}"`;
  const merged = withKeptSecrets(mergePatch(before.spec, patch), before.spec, subject);
  const schema = kind === 'stream' ? StreamSpec : PipelineSpec;
  const spec = checkValue(merged, schema, { subject }) as unknown as JsonObject;
  if (spec['id'] === id) return { kind, spec };
  const message = `must stay "${id}": an id cannot be changed`;
  throw problemsError([{ pointer: '/id', message }], { subject });
}

/** The spec after a merge patch of one of its streams. Throws as patched(). */
export function withPatchedStream(
  before: KindedSpec,
  streamId: string,
  patch: JsonObject,
): KindedSpec {
  if (before.kind === 'stream') return patched(before, patch);
  const subject = `the patch of stream "${streamId}"`;
  const streams = streamsOf(before.spec).map((stream) => {
    if (stream['id'] !== streamId) return stream;
    const merged = withKeptSecrets(mergePatch(stream, patch), stream, subject);
    return checkValue(merged, PipelineStream, { subject }) as unknown as JsonObject;
  });
  return { kind: 'pipeline', spec: { ...before.spec, streams } };
}

/** The pipeline with one more stream. Throws `SL_CONFLICT` when it has one of this id. */
export function withStream(before: KindedSpec, stream: JsonObject): KindedSpec {
  const spec = asPipeline(before);
  const streams = streamsOf(spec);
  if (streams.some(({ id }) => id === stream['id'])) {
    throw new SightlineError(
      'SL_CONFLICT',
      `Cannot add stream '${stream['id']}' to pipeline '${spec['id']}': it has a stream of this id`,
    );
  }
  const added = withKeptSecrets(stream, undefined, `stream "${stream['id']}"`);
  return { kind: 'pipeline', spec: { ...spec, streams: [...streams, added] } };
}

/** The pipeline without the stream; zones and lines that were for it alone go too. */
export function withoutStream(before: KindedSpec, streamId: string): KindedSpec {
  const { analytics, ...spec } = asPipeline(before);
  const streams = streamsOf(spec).filter(({ id }) => id !== streamId);
  const rest = isObject(analytics) ? { analytics: withoutPlacesOf(analytics, streamId) } : {};
  return { kind: 'pipeline', spec: { ...spec, ...rest, streams } };
}

function withoutPlacesOf(analytics: JsonObject, streamId: string): JsonObject {
  return Object.fromEntries(
    Object.entries(analytics).map(([kind, places]) => [
      kind,
      Array.isArray(places)
        ? places.flatMap((place: JsonObject) => {
            if (!Array.isArray(place['streams'])) return [place];
            const streams = place['streams'].filter((id: Json) => id !== streamId);
            return streams.length === 0 ? [] : [{ ...place, streams }];
          })
        : places,
    ]),
  );
}

function streamsOf(spec: JsonObject): readonly JsonObject[] {
  return (spec['streams'] ?? []) as readonly JsonObject[];
}
