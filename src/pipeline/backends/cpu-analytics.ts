import { generatedFile } from '../generated-file.ts';
import type { GeneratedFile, GraphNode } from '../graph.ts';
import type { ResolvedPipeline } from '../resolved.ts';
import { analyticsFiles } from './analytics-file.ts';

/** The muxer's size when the spec names none; limits of distance are meant for it. */
const SURFACE = { width: 1920, height: 1080 };
const ORIGIN = '/analytics';

export interface CpuAnalytics {
  readonly files: readonly GeneratedFile[];
  /** Elements of one stream (by its index in the pipeline), in the order of the files. */
  readonly nodes: (stream: number) => readonly GraphNode[];
}

/**
 * Lowers zones, lines and directions to files in `folder` (absolute) and an slanalytics for each that has something of
 * the stream; each stream has at least one, which can be given zones while it runs. They measure on a picture of the size DeepStream's muxer has, so that both backends count alike.
 */
export function lowerAnalytics(pipeline: ResolvedPipeline, folder: string): CpuAnalytics {
  const { id, analytics, deepstream, streams } = pipeline;
  if (analytics === undefined) return { files: [], nodes: () => [] };
  const ids = streams.map((stream) => stream.id);
  const written = analyticsFiles(analytics, ids, { least: 1 }).map(
    ({ text, streams: present }) => ({
      file: generatedFile(folder, `${id}-analytics`, '.txt', {
        kind: 'analytics',
        text,
        origin: ORIGIN,
      }),
      present,
    }),
  );
  const muxer = deepstream?.muxer;
  const scaled = muxer?.kind !== 'new';
  const nodes = (stream: number): GraphNode[] =>
    written
      .filter(({ present }, index) => index === 0 || present.includes(stream))
      .map(({ file }, index) => ({
        id: index === 0 ? 'analytics' : `analytics-${index + 1}`,
        factory: 'slanalytics',
        role: 'analytics',
        properties: {
          'config-file': file.path,
          'stream-index': stream,
          'surface-width': scaled ? (muxer?.width ?? SURFACE.width) : 0,
          'surface-height': scaled ? (muxer?.height ?? SURFACE.height) : 0,
        },
        origin: ORIGIN,
        stream: ids[stream]!,
      }));
  return { files: written.map(({ file }) => file), nodes };
}
