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

const EXTRA_OBJECT_FIELDS = { classId: 7, framesSinceDetection: 3 };

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
} as const;

/** Bytes of a frame given as the plain object that protobufjs' `fromObject` takes. */
export function encodeFrame(fields: { readonly [name: string]: unknown }): Uint8Array {
  const { Frame } = sightline.v1;
  return Frame.encode(Frame.fromObject({ ...fields })).finish();
}
