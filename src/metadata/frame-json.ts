import { sightline } from '../gen/frame.js';
import {
  type AnalyticsJson,
  analyticsToJson,
  type TrackRecordJson,
  trackRecordToJson,
} from './frame-extras-json.ts';
import { type ObjectJson, objectToJson } from './object-json.ts';
import { timestampToRfc3339 } from './timestamp.ts';

/** A frame in the proto3 JSON mapping; units and meanings are those of proto/sightline/v1/frame.proto. */
export interface FrameJson {
  version: string;
  id: string;
  /** RFC 3339, UTC, up to nanoseconds. */
  timestamp?: string;
  sensorId: string;
  objects: ObjectJson[];
  streamId: string;
  session: string;
  /** Decimal, 64 bits. */
  frameSequence: string;
  /** Decimal, 64 bits. */
  ptsNs: string;
  /** Name of the enum's value; the bare number when this version does not know it. */
  captureClock: string | number;
  frameWidth: number;
  frameHeight: number;
  model?: { name: string; version: string; backend: string; executionProvider: string };
  tracker?: string;
  imageRef?: string;
  latency?: LatencyJson;
  inferred: boolean;
  framesSkipped: string;
  recordId: string;
  analytics?: AnalyticsJson;
  trackRecords?: TrackRecordJson[];
  /** Decimal, 64 bits; absent for a stream that no fleet placed. */
  epoch?: string;
  /** Left out unless it is true. */
  late?: boolean;
}

/** Decimal nanoseconds. */
export interface LatencyJson {
  decodeNs: string;
  queueNs: string;
  inferNs: string;
  trackNs: string;
  totalNs: string;
}

/** Maps a decoded frame; see `frameToJson`. */
export function mapFrame(frame: sightline.v1.Frame): FrameJson {
  const json: FrameJson = {
    version: frame.version,
    id: frame.id,
    sensorId: frame.sensorId,
    objects: frame.objects.map(objectToJson),
    streamId: frame.streamId,
    session: frame.session,
    frameSequence: frame.frameSequence.toString(),
    ptsNs: frame.ptsNs.toString(),
    captureClock: sightline.v1.CaptureClock[frame.captureClock] ?? frame.captureClock,
    frameWidth: frame.frameWidth,
    frameHeight: frame.frameHeight,
    inferred: frame.inferred,
    framesSkipped: frame.framesSkipped.toString(),
    recordId: frame.recordId,
  };
  if (frame.timestamp) json.timestamp = timestampToRfc3339(frame.timestamp);
  if (frame.model) json.model = modelToJson(frame.model);
  if (frame.tracker !== '') json.tracker = frame.tracker;
  if (frame.imageRef !== '') json.imageRef = frame.imageRef;
  if (frame.latency) json.latency = latencyToJson(frame.latency);
  if (frame.analytics) json.analytics = analyticsToJson(frame.analytics);
  if (frame.trackRecords.length > 0) json.trackRecords = frame.trackRecords.map(trackRecordToJson);
  const epoch = frame.epoch.toString();
  if (epoch !== '0') json.epoch = epoch;
  if (frame.late) json.late = true;
  return json;
}

function modelToJson(model: sightline.v1.Model.$Properties): NonNullable<FrameJson['model']> {
  return {
    name: model.name ?? '',
    version: model.version ?? '',
    backend: model.backend ?? '',
    executionProvider: model.executionProvider ?? '',
  };
}

function latencyToJson(latency: sightline.v1.StageLatency.$Properties): LatencyJson {
  return {
    decodeNs: String(latency.decodeNs ?? 0),
    queueNs: String(latency.queueNs ?? 0),
    inferNs: String(latency.inferNs ?? 0),
    trackNs: String(latency.trackNs ?? 0),
    totalNs: String(latency.totalNs ?? 0),
  };
}
