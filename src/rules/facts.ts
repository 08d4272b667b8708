import type { FrameJson } from '../metadata/frame-json.ts';
import type { ObjectJson } from '../metadata/object-json.ts';

/** A box in pixels of the source frame, origin at the top left. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** What rules know of an object. */
export interface ObjectFacts {
  /** The tracker's id; empty when the object is not tracked. */
  readonly id: string;
  readonly class: string;
  /** 0 to 1. */
  readonly confidence: number;
  readonly box: Box;
  /** Ids of the stream's own zones, lines and direction, where it has analytics. */
  readonly zones: readonly string[];
  readonly lines: readonly string[];
  readonly direction: string;
  readonly stopped: boolean;
  /** Labels of secondary classifiers by attribute. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** What rules know of a frame. */
export interface FrameFacts {
  readonly streamId: string;
  readonly sensorId: string;
  readonly session: string;
  readonly sequence: number;
  readonly recordId: string;
  /** Of the stream's owner in a fleet; 0 without one. */
  readonly epoch: number;
  /** Capture time, ms since the Unix epoch. */
  readonly atMs: number;
  /** Time in the session, ms: what lies between two frames, whatever clocks are set to meanwhile. */
  readonly ptsMs: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly model: { readonly name: string; readonly version: string } | undefined;
  /** Key of the frame's picture; undefined: none was taken. */
  readonly imageRef: string | undefined;
  readonly objects: readonly ObjectFacts[];
  /** Objects in each of the stream's own zones. */
  readonly zoneCounts: Readonly<Record<string, number>>;
}

/** A frame as any sink sends it; fields that a sink leaves out (`fields`) count as empty. */
export function frameFacts(json: Partial<FrameJson>): FrameFacts {
  const { streamId = '', analytics, model, imageRef } = json;
  return {
    streamId,
    sensorId: json.sensorId ?? streamId,
    session: json.session ?? '',
    sequence: Number(json.frameSequence ?? 0),
    recordId: json.recordId ?? '',
    epoch: Number(json.epoch ?? 0),
    atMs: json.timestamp === undefined ? Number.NaN : Date.parse(json.timestamp),
    ptsMs: Number(json.ptsNs ?? 0) / 1e6,
    width: json.frameWidth ?? 0,
    height: json.frameHeight ?? 0,
    model: model && { name: model.name, version: model.version },
    imageRef,
    objects: (json.objects ?? []).map(objectFacts),
    zoneCounts: Object.fromEntries(
      (analytics?.zones ?? []).map(({ id, objects }) => [id, objects]),
    ),
  };
}

const NOWHERE = { leftX: 0, topY: 0, rightX: 0, bottomY: 0 };

function objectFacts(object: ObjectJson): ObjectFacts {
  const { leftX, topY, rightX, bottomY } = object.bbox ?? NOWHERE;
  const { zones = [], linesCrossed = [], direction = '', stopped } = object.analytics ?? {};
  return {
    id: object.id ?? '',
    class: object.type ?? '',
    confidence: Number(object.confidence ?? 0),
    box: { left: Number(leftX), top: Number(topY), right: Number(rightX), bottom: Number(bottomY) },
    zones,
    lines: linesCrossed,
    direction,
    stopped: stopped === true,
    attributes: Object.fromEntries(
      (object.classifications ?? []).map(({ attribute, label }) => [attribute, label]),
    ),
  };
}
