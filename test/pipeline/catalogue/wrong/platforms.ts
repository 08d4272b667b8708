import type { WrongCase } from '../corpus.ts';
import { fullNew } from '../full.ts';
import { all, replace, set, setMany } from '../mutate.ts';

/** Properties that must be set, and what a platform or a variant of an element lacks. */
export const WRONG_PLATFORMS: readonly WrongCase[] = [
  {
    name: 'a model without a file',
    change: set('infer', 'config-file-path', ''),
    says: ['"config-file-path" must be set'],
    node: 'infer',
  },
  {
    name: 'a tracker without a library',
    change: set('track', 'll-lib-file', undefined),
    says: ['"ll-lib-file" must be set'],
    node: 'track',
    property: 'll-lib-file',
  },
  {
    name: 'analytics without a file',
    change: set('analytics', 'config-file', undefined),
    says: ['"config-file" must be set'],
    node: 'analytics',
  },
  {
    name: 'a source without an address',
    change: set('source-0', 'uri', undefined),
    says: ['"uri" must be set'],
    pointer: '/streams/0/source',
  },
  {
    name: 'a setting of Jetson on a card',
    change: set('encode', 'maxperf-enable', true),
    says: ['"maxperf-enable" does not exist on dgpu, only on Jetson'],
    node: 'encode',
  },
  {
    name: 'a setting of cards on Jetson',
    platform: 'jetson',
    change: set('encode', 'preset-id', 1),
    says: ['"preset-id" does not exist on jetson, only on dGPU'],
    node: 'encode',
  },
  {
    name: 'a setting of Jetson on an Arm server',
    platform: 'sbsa',
    change: set('encode', 'preset-level', 1),
    says: ['"preset-level" does not exist on sbsa'],
    node: 'encode',
  },
  {
    name: "NVIDIA's encoder on an Orin Nano",
    platform: 'orin-nano',
    change: replace('encode', 'nvv4l2h264enc', { bitrate: 4_000_000 }),
    says: ['there is no such element on orin-nano', 'x264enc'],
    node: 'encode',
    several: true,
  },
  {
    name: 'the JPEG encoder of cards on an Arm server',
    platform: 'sbsa',
    change: replace('jpeg', 'nvjpegenc', { quality: 85 }),
    says: ['there is no such element on sbsa', 'nvimageenc'],
    node: 'jpeg',
    several: true,
  },
  {
    name: 'a camera of Jetson on a card',
    change: replace('source-0', 'nvarguscamerasrc', {}),
    says: ['there is no such element on dgpu'],
    node: 'source-0',
    several: true,
  },
  {
    name: 'a width for the new muxer',
    base: fullNew,
    change: setMany('mux', { width: 1920 }),
    says: ['"width" does not exist', 'without the variable'],
    node: 'mux',
  },
  {
    name: 'live-source for the new muxer',
    base: fullNew,
    change: set('mux', 'live-source', true),
    says: ['"live-source" does not exist'],
    node: 'mux',
  },
  {
    name: 'the file of the new muxer for the old one',
    change: set('mux', 'config-file-path', '/etc/mux.txt'),
    says: ['"config-file-path" does not exist', 'USE_NEW_NVSTREAMMUX=yes'],
    node: 'mux',
  },
  {
    name: 'the old muxer without a size',
    change: all(set('mux', 'width', 0), set('mux', 'height', 1080)),
    says: ['"width" must be set'],
    node: 'mux',
  },
  {
    name: 'the old muxer without a batch size',
    change: set('mux', 'batch-size', undefined),
    says: ['"batch-size" must be set'],
    node: 'mux',
  },
];
