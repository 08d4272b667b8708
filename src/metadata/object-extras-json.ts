import { sightline } from '../gen/frame.js';
import { type BboxJson, bboxToJson } from './bbox-json.ts';
import { float32ToJson, type JsonNumber } from './float32.ts';

/** What only some pipelines know of an object. Each key is there when it is set; see frame.proto for units. */
export interface ObjectExtrasJson {
  classifications?: ClassificationJson[];
  analytics?: ObjectAnalyticsJson;
  /** Name of the enum's value; the bare number when this version does not know it. */
  trackState?: string | number;
  trackerConfidence?: JsonNumber;
  detectorBbox?: BboxJson;
  rotationDeg?: JsonNumber;
  /** 1 + index in `objects` of the object it lies in. */
  parent?: number;
  component?: number;
  mask?: MaskJson;
  visibility?: JsonNumber;
  /** x, y in pixels of the source frame. */
  footImage?: JsonNumber[];
  /** x, y in metres on the ground. */
  footWorld?: JsonNumber[];
}

export interface ClassificationJson {
  component: number;
  attribute: string;
  label: string;
  confidence: JsonNumber;
  value: number;
}

/** Ids of what applies to the object on this frame; keys of what does not are left out. */
export interface ObjectAnalyticsJson {
  zones?: string[];
  overcrowdedZones?: string[];
  linesCrossed?: string[];
  direction?: string;
  stopped?: true;
}

export interface MaskJson {
  width: number;
  height: number;
  threshold: JsonNumber;
  /** Row by row. */
  scores: JsonNumber[];
}

type ObjectFields = sightline.v1.Object.$Properties;

/** Whether anything of it is set: most objects of most pipelines have none, and this is asked of each. */
export function hasObjectExtras(object: ObjectFields): boolean {
  const { classifications, analytics, trackState, component, trackerConfidence } = object;
  if (classifications?.length || analytics || trackState || component || trackerConfidence) {
    return true;
  }
  const { detectorBbox, rotationDeg, parent, mask, visibility, footImage, footWorld } = object;
  if (detectorBbox || rotationDeg || parent || mask || visibility) return true;
  return Boolean(footImage?.length || footWorld?.length);
}

/** Adds to `json` what is set of it. */
export function addObjectExtras(object: ObjectFields, json: ObjectExtrasJson): void {
  const { classifications, analytics, trackState, detectorBbox, mask } = object;
  if (classifications?.length) json.classifications = classifications.map(classificationToJson);
  if (analytics) json.analytics = objectAnalyticsToJson(analytics);
  if (trackState) json.trackState = trackStateToJson(trackState);
  if (object.trackerConfidence) json.trackerConfidence = float32ToJson(object.trackerConfidence);
  if (detectorBbox) json.detectorBbox = bboxToJson(detectorBbox);
  if (object.rotationDeg) json.rotationDeg = float32ToJson(object.rotationDeg);
  if (object.parent) json.parent = object.parent;
  if (object.component) json.component = object.component;
  if (mask) json.mask = maskToJson(mask);
  if (object.visibility) json.visibility = float32ToJson(object.visibility);
  if (object.footImage?.length) json.footImage = object.footImage.map(float32ToJson);
  if (object.footWorld?.length) json.footWorld = object.footWorld.map(float32ToJson);
}

export function trackStateToJson(state: sightline.v1.TrackState): string | number {
  return sightline.v1.TrackState[state] ?? state;
}

function classificationToJson(item: sightline.v1.Classification.$Properties): ClassificationJson {
  return {
    component: item.component ?? 0,
    attribute: item.attribute ?? '',
    label: item.label ?? '',
    confidence: float32ToJson(item.confidence ?? 0),
    value: item.value ?? 0,
  };
}

function objectAnalyticsToJson(
  item: sightline.v1.ObjectAnalytics.$Properties,
): ObjectAnalyticsJson {
  const json: ObjectAnalyticsJson = {};
  if (item.zones?.length) json.zones = item.zones;
  if (item.overcrowdedZones?.length) json.overcrowdedZones = item.overcrowdedZones;
  if (item.linesCrossed?.length) json.linesCrossed = item.linesCrossed;
  if (item.direction) json.direction = item.direction;
  if (item.stopped) json.stopped = true;
  return json;
}

function maskToJson(mask: sightline.v1.Mask.$Properties): MaskJson {
  return {
    width: mask.width ?? 0,
    height: mask.height ?? 0,
    threshold: float32ToJson(mask.threshold ?? 0),
    scores: (mask.scores ?? []).map(float32ToJson),
  };
}
