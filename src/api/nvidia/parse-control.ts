import { Refused } from './answer.ts';
import {
  asBool,
  asInt,
  asString,
  asUInt,
  ConversionError,
  eachElement,
  eachMember,
  find,
  stoi,
} from './conversions.ts';
import type { Value } from './json-value.ts';

/** What the parser of a control endpoint looks for in the one member of the body. */
export interface ControlShape {
  /** In front of its texts, such as `INFER_INTERVAL`. */
  readonly name: string;
  /** The member with the value, how it is read, and what is out of range. */
  readonly field: string;
  readonly type: 'uint' | 'int' | 'bool' | 'text';
  readonly allowed?: (value: number | boolean | string) => boolean;
  /** The whole text for a value that is not allowed. */
  readonly outOfRange?: string;
  /** `needed`: a missing stream id has a text of its own; `none`: the endpoint acts on no one stream. */
  readonly stream?: 'needed' | 'none';
}

export interface ControlRequest {
  /** Undefined for an endpoint that acts on no one stream. */
  readonly sourceId: number | undefined;
  readonly value: number | boolean | string;
}

/** Rectangle of a roi/update, in pixels. */
export interface RoiRectangle {
  readonly id: string;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const READERS = { uint: asUInt, int: asInt, bool: asBool, text: asString } as const;
/** `roi_id` is cut at 127 bytes. */
const MAX_ROI_ID_BYTES = 127;

/**
 * Reads the body of a control endpoint. Throws Refused with NVIDIA's text; where its process would end (a body that is no
 * object, a stream id that is no number) with the text of the exception that ends it.
 */
export function parseControl(body: Value, shape: ControlShape): ControlRequest {
  return explained(shape.name, () => {
    let streamId = '';
    let value = READERS[shape.type](undefined) as ControlRequest['value'];
    for (const [, member] of eachMember(body)) {
      if (shape.stream !== 'none') streamId = asString(find(member, 'stream_id'));
      if (shape.stream === 'needed' && streamId === '') throw noStreamId(shape.name);
      value = READERS[shape.type](find(member, shape.field));
      if (shape.allowed?.(value) === false) throw new Refused(400, shape.outOfRange ?? '');
    }
    return { sourceId: shape.stream === 'none' ? undefined : stoi(streamId), value };
  });
}

/** Reads the body of roi/update. Throws as parseControl(), and for a count that the list does not have. */
export function parseRoi(body: Value): { sourceId: number; rectangles: readonly RoiRectangle[] } {
  const name = 'ROI';
  return explained(name, () => {
    let streamId = '';
    let rectangles: readonly RoiRectangle[] = [];
    for (const [, member] of eachMember(body)) {
      streamId = asString(find(member, 'stream_id'));
      if (streamId === '') throw noStreamId(name);
      const count = asUInt(find(member, 'roi_count'));
      if (count === 0) throw new Refused(400, 'ROI_UPDATE_FAIL, roi id is 0');
      const list = find(member, 'roi');
      if (list === undefined || list === '')
        throw new Refused(400, 'ROI_UPDATE_FAIL, roi is empty');
      const all = eachElement(list).map(readRectangle);
      if (count > all.length) {
        throw new ConversionError(`roi_count is ${count}, and roi has ${all.length}`);
      }
      rectangles = all.slice(0, count);
    }
    return { sourceId: stoi(streamId), rectangles };
  });
}

function readRectangle(value: Value): RoiRectangle {
  const id = Buffer.from(asString(find(value, 'roi_id')));
  return {
    id: id.subarray(0, MAX_ROI_ID_BYTES).toString(),
    left: asUInt(find(value, 'left')),
    top: asUInt(find(value, 'top')),
    width: asUInt(find(value, 'width')),
    height: asUInt(find(value, 'height')),
  };
}

function noStreamId(name: string): Refused {
  return new Refused(400, `${name}_UPDATE_FAIL, stream_id value not parsed correctly`);
}

function explained<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    const failed = name === 'QUIT' ? 'QUIT_FAIL' : `${name}_UPDATE_FAIL`;
    throw new Refused(400, `${failed}, error: ${error.message}`);
  }
}
