import { sightline } from '../gen/frame.js';
import { type BboxJson, bboxToJson } from './bbox-json.ts';
import { float32ToJson, type JsonNumber } from './float32.ts';
import { trackStateToJson } from './object-extras-json.ts';

/** What was counted on a frame; a list of what the stream does not have is left out. */
export interface AnalyticsJson {
  zones?: { id: string; objects: number; overcrowded: boolean }[];
  /** Decimal, 64 bits. */
  lines?: { id: string; crossings: string; crossingsTotal: string }[];
}

/** A track beside the frame's objects. */
export interface TrackRecordJson {
  kind: string | number;
  id: string;
  classId: number;
  type: string;
  points: TrackPointJson[];
}

export interface TrackPointJson {
  /** Decimal, 64 bits. */
  frameSequence: string;
  bbox?: BboxJson;
  confidence: JsonNumber;
  age: number;
  state: string | number;
  visibility: JsonNumber;
}

export function analyticsToJson(analytics: sightline.v1.Analytics.$Properties): AnalyticsJson {
  const json: AnalyticsJson = {};
  if (analytics.zones?.length) {
    json.zones = analytics.zones.map(({ id, objects, overcrowded }) => ({
      id: id ?? '',
      objects: objects ?? 0,
      overcrowded: overcrowded ?? false,
    }));
  }
  if (analytics.lines?.length) {
    json.lines = analytics.lines.map(({ id, crossings, crossingsTotal }) => ({
      id: id ?? '',
      crossings: String(crossings ?? 0),
      crossingsTotal: String(crossingsTotal ?? 0),
    }));
  }
  return json;
}

export function trackRecordToJson(record: sightline.v1.TrackRecord.$Properties): TrackRecordJson {
  const kind = record.kind ?? 0;
  return {
    kind: sightline.v1.TrackRecord.Kind[kind] ?? kind,
    id: record.id ?? '',
    classId: record.classId ?? 0,
    type: record.type ?? '',
    points: (record.points ?? []).map(pointToJson),
  };
}

function pointToJson(point: sightline.v1.TrackRecord.Point.$Properties): TrackPointJson {
  return {
    frameSequence: String(point.frameSequence ?? 0),
    ...(point.bbox ? { bbox: bboxToJson(point.bbox) } : {}),
    confidence: float32ToJson(point.confidence ?? 0),
    age: point.age ?? 0,
    state: trackStateToJson(point.state ?? 0),
    visibility: float32ToJson(point.visibility ?? 0),
  };
}
