import { sightline } from '../../src/gen/frame.js';

/** An object with every field of NVIDIA's schema set; every float is exact in 32 bits. */
export const FULL_OBJECT = {
  id: '42',
  bbox: { leftX: 10.5, topY: 20.25, rightX: 110.5, bottomY: 220.75 },
  type: 'person',
  confidence: 0.875,
  info: { zone: 'door', gender: 'unknown' },
  embedding: { vector: [0.5, -1.25, 3], info: { net: 'reid' } },
  pose: {
    type: 'pose25d',
    keypoints: [{ name: 'nose', coordinates: [1, 2, 0.5], quaternion: [0, 0, 0, 1] }],
    actions: [{ type: 'walking', confidence: 0.75 }],
  },
  gaze: { x: 1, y: 2, z: 3, theta: 0.5, phi: -0.5 },
  lipActivity: { classLabel: 'talking' },
  speed: 1.5,
  dir: [0.5, -0.5],
  coordinate: { x: 0.1, y: 0.2, z: 0.3 },
  location: { lat: 48.137154, lon: 11.576124, alt: 519.5 },
} as const;

/** Every field of an object that is ours. */
export const EXTRA_OBJECT_FIELDS = {
  classId: 7,
  framesSinceDetection: 3,
  classifications: [
    { component: 2, attribute: 'colour', label: 'red', confidence: 0.75, value: 4 },
    { component: 3, attribute: '', label: 'van', confidence: 0.5, value: 0 },
  ],
  analytics: {
    zones: ['bay', 'dock'],
    overcrowdedZones: ['dock'],
    linesCrossed: ['gate-in'],
    direction: 'north',
    stopped: true,
  },
  trackState: 'TRACK_STATE_PROJECTED',
  trackerConfidence: 0.25,
  detectorBbox: { leftX: 11.5, topY: 21.25, rightX: 109.5, bottomY: 219.75 },
  rotationDeg: -12.5,
  parent: 2,
  component: 1,
  mask: { width: 2, height: 2, threshold: 0.5, scores: [0, 0.25, 0.75, 1] },
  visibility: 0.875,
  footImage: [60.5, 219.5],
  footWorld: [1.5, -7.25],
} as const;

/** A frame with every field set, 64-bit values above 2^53 included. */
export const FULL_FRAME = {
  version: '4.0',
  id: '9007199254740993',
  timestamp: { seconds: '1700000000', nanos: 123_456_789 },
  sensorId: 'gate',
  objects: [
    { ...FULL_OBJECT, ...EXTRA_OBJECT_FIELDS },
    {
      id: '',
      type: 'car',
      confidence: 0.5,
      bbox: { leftX: 0, topY: 0, rightX: 768, bottomY: 576 },
      classId: 2,
    },
  ],
  streamId: 'gate',
  session: '01HF',
  frameSequence: '9007199254740993',
  ptsNs: '18446744073709551615',
  captureClock: 'CAPTURE_CLOCK_RTCP_SENDER_REPORT',
  frameWidth: 768,
  frameHeight: 576,
  model: {
    name: 'centernet-512x384',
    version: '1',
    backend: 'cpu',
    executionProvider: 'CPUExecutionProvider',
  },
  tracker: 'bytetrack',
  imageRef: 'gate/2023/11/14/22/01HF-9007199254740993.jpg',
  latency: { decodeNs: '1', queueNs: '2', inferNs: '3', trackNs: '4', totalNs: '9007199254740995' },
  inferred: true,
  framesSkipped: '5',
  recordId: 'gate/01HF/9007199254740993',
  analytics: {
    zones: [
      { id: 'bay', objects: 0, overcrowded: false },
      { id: 'dock', objects: 12, overcrowded: true },
    ],
    lines: [{ id: 'gate-in', crossings: '1', crossingsTotal: '9007199254740993' }],
  },
  trackRecords: [
    {
      kind: 'KIND_TERMINATED',
      id: '41',
      classId: 7,
      type: 'person',
      points: [
        {
          frameSequence: '9007199254740993',
          bbox: { leftX: 1, topY: 2, rightX: 3, bottomY: 4.5 },
          confidence: 0.5,
          age: 30,
          state: 'TRACK_STATE_INACTIVE',
          visibility: 0.25,
        },
      ],
    },
  ],
} as const;

/** Bytes of a frame given as the plain object that protobufjs' `fromObject` takes. */
export function encodeFrame(fields: { readonly [name: string]: unknown }): Uint8Array {
  const { Frame } = sightline.v1;
  return Frame.encode(Frame.fromObject({ ...fields })).finish();
}
