import type { ChunkHeader } from './chunk.ts';

/** Ids of the sinks a record is for, sorted; undefined: all that take its kind. */
export type Route = readonly string[] | undefined;

/** The same text for the same sinks, in whatever order; undefined for all. */
export function routeText(sinks: readonly string[] | undefined): string | undefined {
  return sinks && JSON.stringify([...new Set(sinks)].sort());
}

export function parseRoute(text: string | undefined | null): Route {
  return text === undefined || text === null ? undefined : (JSON.parse(text) as string[]);
}

/** Whether the chunk's records are for the sink, as far as their kind goes. */
export function isFor({ sinks }: Pick<ChunkHeader, 'sinks'>, sinkId: string): boolean {
  return sinks === undefined || sinks.includes(sinkId);
}
