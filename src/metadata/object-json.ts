import { sightline } from '../gen/frame.js';
import { type BboxJson, bboxToJson } from './bbox-json.ts';
import { float32ToJson, type JsonNumber } from './float32.ts';
import { addObjectExtras, hasObjectExtras, type ObjectExtrasJson } from './object-extras-json.ts';

/** One object of a frame in the proto3 JSON mapping. */
export interface ObjectJson extends ObjectExtrasJson {
  id: string;
  bbox?: BboxJson;
  type: string;
  confidence: JsonNumber;
  info?: Readonly<Record<string, string>>;
  embedding?: unknown;
  pose?: unknown;
  gaze?: unknown;
  lipActivity?: unknown;
  speed?: JsonNumber;
  dir?: readonly JsonNumber[];
  coordinate?: unknown;
  location?: unknown;
  classId: number;
  framesSinceDetection: number;
}

type ObjectFields = sightline.v1.Object.$Properties;

const RARE_PARTS = [
  'embedding',
  'pose',
  'gaze',
  'lipActivity',
  'coordinate',
  'location',
] as const satisfies readonly (keyof ObjectFields & keyof ObjectJson)[];

/** Maps one decoded object. What only special pipelines fill (info, pose, speed, ...) appears when it is set. */
export function objectToJson(object: ObjectFields): ObjectJson {
  const json: ObjectJson = {
    id: object.id ?? '',
    type: object.type ?? '',
    confidence: float32ToJson(object.confidence ?? 0),
    classId: object.classId ?? 0,
    framesSinceDetection: object.framesSinceDetection ?? 0,
  };
  const { bbox, info, speed, dir } = object;
  if (bbox) json.bbox = bboxToJson(bbox);
  if (info && Object.keys(info).length > 0) json.info = info;
  if (speed) json.speed = float32ToJson(speed);
  if (dir && dir.length > 0) json.dir = dir.map(float32ToJson);
  if (hasObjectExtras(object)) addObjectExtras(object, json);
  if (hasRareParts(object)) addRareParts(object, json);
  return json;
}

function hasRareParts(object: ObjectFields): boolean {
  const { embedding, pose, gaze, lipActivity, coordinate, location } = object;
  return Boolean(embedding || pose || gaze || lipActivity || coordinate || location);
}

/** Mapped by the generated code, which knows their fields; slower, but almost no pipeline fills them. */
function addRareParts(object: ObjectFields, json: ObjectJson): void {
  const only = sightline.v1.Object.create();
  for (const part of RARE_PARTS) Object.assign(only, { [part]: object[part] });
  const mapped = sightline.v1.Object.toObject(only, { json: true });
  for (const part of RARE_PARTS) {
    if (mapped[part] === undefined) continue;
    const isDouble = part === 'coordinate' || part === 'location';
    json[part] = isDouble ? mapped[part] : shortenFloats(mapped[part]);
  }
}

function shortenFloats(value: unknown): unknown {
  if (typeof value === 'number') return float32ToJson(value);
  if (Array.isArray(value)) return value.map(shortenFloats);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shortenFloats(item)]));
}
