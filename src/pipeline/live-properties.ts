import type { PropertyValue } from './graph.ts';

/** What is to be known of a property that an element takes while it plays. */
export interface LiveProperty {
  /** Means the same as leaving the property out. Absent: only a new element has what it has by default. */
  readonly otherwise?: PropertyValue;
  /** The element takes some values only and keeps what it has otherwise: whoever sets it reads it back. */
  readonly mayRefuse?: true;
}

const ANY: LiveProperty = {};
const MAY_REFUSE: LiveProperty = { mayRefuse: true };

/**
 * Properties that an element takes while it plays (GST_PARAM_MUTABLE_PLAYING, or read with each buffer), by factory. Any
 * other difference between two graphs needs a new pipeline. Elements under NVIDIA's names as of DeepStream 9.1.
 */
export const LIVE_PROPERTIES: Readonly<Record<string, Readonly<Record<string, LiveProperty>>>> = {
  slinfer: {
    interval: ANY,
    // One that differs in thresholds and the like alone.
    'config-file-path': MAY_REFUSE,
    'filter-out-class-ids': { mayRefuse: true, otherwise: '' },
  },
  slanalytics: { 'config-file': MAY_REFUSE, enable: { otherwise: true } },
  sllatency: { 'budget-ms': { otherwise: 0 }, drop: { otherwise: 'oldest' } },
  slsample: { 'interval-ms': ANY, when: ANY },
  sldssample: { 'interval-ms': ANY, when: ANY },
  slmotion: { threshold: ANY, area: ANY },
  slskip: { skip: { otherwise: 'none' } },
  slstamp: { 'drop-interval': { otherwise: 0 } },
  sltrack: {
    'track-high-threshold': ANY,
    'track-low-threshold': ANY,
    'new-track-threshold': ANY,
    'match-threshold': ANY,
    'max-lost-frames': ANY,
    'min-hits': ANY,
    'class-aware': ANY,
    'emit-lost': ANY,
  },
  jpegenc: { quality: ANY },
  // A configuration for the same engine; with another one the pipeline goes over to a fresh worker.
  nvinfer: { interval: ANY, 'config-file-path': ANY },
  nvdsanalytics: { 'config-file': ANY },
  nvv4l2decoder: { 'skip-frames': { otherwise: 0 } },
  nvjpegenc: { quality: ANY },
};

/** Undefined for a property that a playing element does not take. */
export function liveProperty(factory: string, property: string): LiveProperty | undefined {
  return LIVE_PROPERTIES[factory]?.[property];
}
