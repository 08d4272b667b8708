import type { ParquetWriter } from 'hyparquet-writer';
import type { Frame } from '../../../metadata/frame.ts';
import { timestampToMs } from '../../../metadata/timestamp.ts';

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number];

interface Column {
  readonly name: string;
  readonly elements: readonly SchemaElement[];
  /** Its value for one object; `index` counts the objects of the frame from 0. */
  readonly value: (frame: FrameFacts, object: FrameObject, index: number) => unknown;
}

type FrameObject = NonNullable<Frame['objects']>[number];

/** What all objects of a frame share, worked out once. */
interface FrameFacts {
  readonly frame: Frame;
  readonly at: number;
  readonly sequence: bigint;
}

/**
 * The inference database: one row an object. (record_id, object_index) names a row for good: a frame that was delivered
 * twice gives two rows with the same pair. Columns are only added, at the end; what does not apply is null.
 */
const COLUMNS: readonly Column[] = [
  text('camera_id', ({ frame }) => frame.streamId),
  {
    name: 'timestamp',
    elements: [element('timestamp', { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' })],
    value: ({ at }) => at,
  },
  text('object_id', (_facts, { id }) => id),
  text('class', (_facts, { type }) => type),
  int('class_id', (_facts, { classId }) => classId),
  float('confidence', (_facts, { confidence }) => confidence),
  float('left_x', (_facts, { bbox }) => bbox?.leftX),
  float('top_y', (_facts, { bbox }) => bbox?.topY),
  float('right_x', (_facts, { bbox }) => bbox?.rightX),
  float('bottom_y', (_facts, { bbox }) => bbox?.bottomY),
  int('frame_width', ({ frame }) => frame.frameWidth),
  int('frame_height', ({ frame }) => frame.frameHeight),
  list('zones', (_facts, { analytics }) => analytics?.zones),
  list('lines_crossed', (_facts, { analytics }) => analytics?.linesCrossed),
  text('direction', (_facts, { analytics }) => analytics?.direction),
  text('model_name', ({ frame }) => frame.model?.name),
  text('model_version', ({ frame }) => frame.model?.version),
  {
    name: 'inferred',
    elements: [element('inferred', { type: 'BOOLEAN' })],
    value: ({ frame }) => frame.inferred ?? false,
  },
  int('frames_since_detection', (_facts, object) => object.framesSinceDetection),
  text('frame_reference', ({ frame }) => frame.imageRef),
  text('session', ({ frame }) => frame.session),
  {
    name: 'frame_sequence',
    elements: [element('frame_sequence', { type: 'INT64' })],
    value: ({ sequence }) => sequence,
  },
  text('record_id', ({ frame }) => frame.recordId),
  int('object_index', (_facts, _object, index) => index),
];

export const PARQUET_SCHEMA: SchemaElement[] = [
  { name: 'root', num_children: COLUMNS.length },
  ...COLUMNS.flatMap(({ elements }) => elements),
];

/** Rows that gather for a row group, column by column. */
export class Rows {
  #columns: unknown[][] = COLUMNS.map(() => []);

  get length(): number {
    return this.#columns[0]!.length;
  }

  add(frame: Frame): void {
    const facts = factsOf(frame);
    for (const [index, object] of (frame.objects ?? []).entries()) {
      for (const [at, { value }] of COLUMNS.entries()) {
        this.#columns[at]!.push(value(facts, object, index));
      }
    }
  }

  /** Hands over what was added. */
  take(): { name: string; data: unknown[] }[] {
    const columns = this.#columns;
    this.#columns = COLUMNS.map(() => []);
    return COLUMNS.map(({ name }, at) => ({ name, data: columns[at]! }));
  }
}

/** The same rows as plain objects by the names of the columns. */
export function objectRows(frame: Frame): Record<string, unknown>[] {
  const facts = factsOf(frame);
  return (frame.objects ?? []).map((object, index) =>
    Object.fromEntries(COLUMNS.map(({ name, value }) => [name, value(facts, object, index)])),
  );
}

function factsOf(frame: Frame): FrameFacts {
  const { low = 0, high = 0 } = (frame.frameSequence ?? {}) as { low?: number; high?: number };
  return {
    frame,
    at: timestampToMs((frame.timestamp ?? {}) as Parameters<typeof timestampToMs>[0]),
    sequence: (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0),
  };
}

function element(name: string, facts: Omit<SchemaElement, 'name'>): SchemaElement {
  return { name, repetition_type: 'OPTIONAL', ...facts };
}

/** The empty text of protobuf means that there is none. */
function text(
  name: string,
  read: (facts: FrameFacts, object: FrameObject) => string | null | undefined,
): Column {
  return {
    name,
    elements: [element(name, { type: 'BYTE_ARRAY', converted_type: 'UTF8' })],
    value: (facts, object) => read(facts, object) || null,
  };
}

function int(
  name: string,
  read: (facts: FrameFacts, object: FrameObject, index: number) => number | null | undefined,
): Column {
  return {
    name,
    elements: [element(name, { type: 'INT32' })],
    value: (facts, object, index) => read(facts, object, index) ?? 0,
  };
}

function float(
  name: string,
  read: (facts: FrameFacts, object: FrameObject) => number | null | undefined,
): Column {
  return {
    name,
    elements: [element(name, { type: 'FLOAT' })],
    value: (facts, object) => read(facts, object) ?? null,
  };
}

function list(
  name: string,
  read: (facts: FrameFacts, object: FrameObject) => string[] | null | undefined,
): Column {
  return {
    name,
    elements: [
      element(name, { converted_type: 'LIST', num_children: 1 }),
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      element('element', { type: 'BYTE_ARRAY', converted_type: 'UTF8' }),
    ],
    value: (facts, object) => read(facts, object) ?? [],
  };
}
