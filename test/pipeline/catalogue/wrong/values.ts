import type { WrongCase } from '../corpus.ts';
import { fullNew } from '../full.ts';
import { set } from '../mutate.ts';

/** Values that properties do not take. */
export const WRONG_VALUES: readonly WrongCase[] = [
  {
    name: '1 for true',
    change: set('mux', 'live-source', 1),
    says: ['"live-source" takes true or false', 'it is 1'],
    property: 'live-source',
    several: true,
  },
  {
    name: '"true" for true',
    change: set('udp', 'sync', 'true'),
    says: ['"sync" takes true or false', 'it is "true"'],
    node: 'udp',
  },
  {
    name: 'a number as text',
    change: set('mux', 'width', '1920'),
    says: ['"width" takes a whole number', 'it is "1920"'],
    node: 'mux',
  },
  {
    name: 'a fraction of a pixel',
    change: set('mux', 'height', 1080.5),
    says: ['"height" takes a whole number', '1080.5'],
    node: 'mux',
  },
  {
    name: 'a negative unsigned number',
    change: set('source-0', 'latency', -1),
    says: ['"latency" takes a whole number from 0 to 4294967295'],
    node: 'source-0',
    pointer: '/streams/0/source',
  },
  {
    name: 'a number beyond 32 bits',
    change: set('source-0', 'latency', 4_294_967_296),
    says: ['"latency" takes a whole number'],
    node: 'source-0',
  },
  {
    name: 'a number beyond 64 bits',
    change: set('mux-queue', 'max-size-time', 2 ** 64),
    says: ['"max-size-time" takes a whole number from 0 to 18446744073709551615'],
    node: 'mux-queue',
  },
  {
    name: 'a negative number of nanoseconds',
    change: set('mux-queue', 'max-size-time', -1),
    says: ['"max-size-time"'],
    node: 'mux-queue',
  },
  {
    name: 'a batch above the limit',
    change: set('infer', 'batch-size', 1025),
    says: ['"batch-size" takes a whole number from 1 to 1024'],
    node: 'infer',
    several: true,
  },
  {
    name: 'a quality above the limit',
    change: set('jpeg', 'quality', 101),
    says: ['nvjpegenc', '"quality" takes a whole number from 0 to 100'],
    node: 'jpeg',
  },
  {
    name: 'a drop interval above the limit',
    change: set('source-1', 'drop-frame-interval', 31),
    says: ['"drop-frame-interval" takes a whole number from 0 to 30'],
    pointer: '/streams/1/source',
  },
  {
    name: 'an infinite timeout of the new muxer',
    base: fullNew,
    change: set('mux', 'batched-push-timeout', -1),
    says: ['"batched-push-timeout" takes a whole number from 1 to 2147483647'],
    node: 'mux',
  },
  {
    name: 'an unknown nick',
    change: set('demux-queue', 'leaky', 'down'),
    says: ['"leaky" takes one of no (0), upstream (1), downstream (2)', 'it is "down"'],
    node: 'demux-queue',
  },
  {
    name: 'a misspelled nick',
    change: set('mux', 'interpolation-method', 'Bilinaer'),
    says: ['did you mean "Bilinear"'],
    node: 'mux',
  },
  {
    name: 'an enum number that has no meaning',
    change: set('source-0', 'select-rtp-protocol', 3),
    says: ['"select-rtp-protocol" takes one of', 'rtp-tcp (4)', 'it is 3'],
    node: 'source-0',
  },
  {
    name: 'a boolean for an enum',
    change: set('source-0', 'dec-skip-frames', true),
    says: ['"dec-skip-frames" takes one of decode_all (0)'],
    node: 'source-0',
  },
  {
    name: 'a process mode that nvinfer lacks',
    change: set('infer', 'process-mode', 0),
    says: ['"process-mode" takes one of primary (1), secondary (2)'],
    node: 'infer',
  },
  {
    name: 'a flag that does not exist',
    platform: 'orin-nano',
    change: set('encode', 'tune', 'zerolatency+fast'),
    says: ['"tune" takes any of', 'joined with "+"'],
    node: 'encode',
  },
  {
    name: 'a bit rate in bit/s where kbit/s are meant',
    platform: 'orin-nano',
    change: set('encode', 'bitrate', 4_000_000),
    says: ['x264enc', '"bitrate" takes a whole number from 1 to 2048000'],
    node: 'encode',
  },
  {
    name: 'a read-only property',
    change: set('source-0', 'smart-rec-status', true),
    says: ['"smart-rec-status" can only be read'],
    node: 'source-0',
  },
  {
    name: 'a counter of ours',
    change: set('meta', 'frames', 0),
    says: ['sldsmeta', '"frames" can only be read'],
    node: 'meta',
  },
  {
    name: 'a pointer',
    change: set('infer', 'raw-output-generated-callback', 0),
    says: ['takes no value a graph could hold'],
    node: 'infer',
  },
  {
    name: 'caps that are none',
    change: set('jpegs', 'caps', 'image/jpeg,width='),
    says: ['"caps" takes caps'],
    node: 'jpegs',
  },
];
