import { type Static, Type } from 'typebox';
import { ID_PATTERN, oneOf, strictObject } from '../common/schema.ts';
import { RecordSpec } from './record-spec.ts';

/** How long a stream is kept when the box is full, where its spec says nothing. */
export const DEFAULT_PRIORITY = 50;

/** A stream whose frames may not be late, and which of them go when they are. */
export const LatencySpec = strictObject(
  {
    budgetMs: Type.Integer({
      minimum: 10,
      maximum: 60_000,
      description: 'Most age of a frame when the detector gets it, from its first packet on; ms',
    }),
    drop: oneOf(['oldest', 'newest', 'non-key'], {
      description:
        'What goes when frames are older: oldest: those that waited too long; newest: those that come, until what waits is through; non-key: pictures are not decoded but key frames, until the stream has caught up',
    }),
  },
  { description: 'Frames beyond the budget are left out and counted; absent: none is' },
);
export type LatencySpec = Static<typeof LatencySpec>;

/** What a stream may say for itself, and a pipeline for all streams of its own that say nothing. */
export const streamDefaults = {
  priority: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 100,
      description: `Streams of higher priority are kept longer when the box is full; default ${DEFAULT_PRIORITY}`,
    }),
  ),
  sinks: Type.Optional(
    Type.Array(Type.String({ pattern: ID_PATTERN }), {
      maxItems: 64,
      uniqueItems: true,
      description: 'Ids of the sinks that get its records; default: all; []: none',
    }),
  ),
  latency: Type.Optional(LatencySpec),
  record: Type.Optional(RecordSpec),
};

/** Whether the stream runs at all. */
export const enabled = Type.Optional(
  Type.Boolean({
    description: 'false: the stream stays in the spec and is not run; default true',
  }),
);
