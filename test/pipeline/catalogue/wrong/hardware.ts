import { node } from '../build.ts';
import type { WrongCase } from '../corpus.ts';
import {
  add,
  all,
  bypass,
  inGraph,
  insert,
  link,
  relink,
  replace,
  set,
  setMany,
} from '../mutate.ts';

const NVMM = 'video/x-raw(memory:NVMM)';

/** Queues in the wrong place, and hardware that is not there. */
export const WRONG_HARDWARE: readonly WrongCase[] = [
  {
    name: 'a recording with gaps',
    change: all(
      add(
        node('rec-queue', 'queue', { leaky: 'downstream' }),
        node('rec', 'splitmuxsink', { location: '/rec/%d.mp4' }),
      ),
      replace('encode-parse', 'h264parse', { 'config-interval': -1 }),
      inGraph((graph) => ({
        ...graph,
        nodes: [...graph.nodes, node('rec-tee', 'tee')],
        links: graph.links.map((item) =>
          item.from === 'encode-parse' ? { ...item, from: 'rec-tee' } : item,
        ),
      })),
      link('encode-parse', 'rec-tee'),
      link('rec-tee', 'rec-queue'),
      link('rec-queue', 'rec.video'),
    ),
    says: ['"leaky" must be "no"', 'the recording of "rec"'],
    node: 'rec-queue',
    several: true,
  },
  {
    name: 'a queue without a limit',
    change: setMany('mux-queue', {
      'max-size-buffers': 0,
      'max-size-bytes': 0,
      'max-size-time': 0,
    }),
    says: ['has no limit'],
    node: 'mux-queue',
  },
  {
    name: 'a branch without a thread',
    change: bypass('metadata-queue'),
    says: ['is a branch of "split" without a queue'],
    node: 'meta',
  },
  {
    name: 'more tiles than are drawn',
    change: insert(
      'draw-queue',
      node('tiles', 'nvmultistreamtiler', { rows: 12, columns: 11 }),
      'draw-convert',
    ),
    says: ['is 132 tiles: 128 are the most'],
    node: 'tiles',
  },
  {
    name: 'a session for an element that has none',
    change: inGraph((graph) => ({ ...graph, sessionNodes: ['meta', 'infer'] })),
    says: ['has no property "session"'],
    node: 'infer',
    property: 'session',
  },
  {
    name: 'memory of Jetson on a card',
    change: set('jpeg-convert', 'nvbuf-memory-type', 4),
    says: ['"nvbuf-memory-type" 4 is memory of Jetson'],
    node: 'jpeg-convert',
  },
  {
    name: 'memory of cards on Jetson',
    platform: 'jetson',
    change: set('jpeg-convert', 'nvbuf-memory-type', 'nvbuf-mem-cuda-unified'),
    says: ['"nvbuf-memory-type" 3 is memory of cards'],
    node: 'jpeg-convert',
  },
  {
    name: 'a unit of Jetson on a card',
    change: set('draw-convert', 'compute-hw', 'VIC'),
    says: ['"compute-hw" 2 (VIC) is a unit of Jetson'],
    node: 'draw-convert',
  },
  {
    name: 'two cards in one pipeline',
    change: set('track', 'gpu-id', 1),
    says: ['"gpu-id" is 1', 'share one card'],
    node: 'track',
  },
  {
    name: 'a second card of a Jetson',
    platform: 'jetson',
    change: set('mux', 'gpu-id', 1),
    says: ['a Jetson has one GPU'],
    node: 'mux',
  },
  {
    name: 'drawing on the CPU on NV12',
    change: all(
      set('draw', 'process-mode', 'MODE_CPU'),
      relink('draw-convert', 'draw', { caps: `${NVMM},format=NV12` }),
    ),
    says: ['"process-mode" 0 (CPU) draws on RGBA only'],
    node: 'draw',
  },
  {
    name: 'JPEG for a decoder of Jetson that is not told',
    platform: 'jetson',
    change: all(
      add(
        node('file', 'filesrc', { location: '/media/a.mjpeg' }),
        node('file-parse', 'jpegparse'),
        node('file-decode', 'nvv4l2decoder'),
        node('file-out', 'fakesink', { sync: false, async: false }),
      ),
      link('file', 'file-parse'),
      link('file-parse', 'file-decode'),
      link('file-decode', 'file-out'),
    ),
    says: ['"mjpeg" must be true'],
    node: 'file-decode',
  },
  {
    name: 'constant quality on Jetson',
    platform: 'jetson',
    change: set('encode', 'control-rate', 2),
    says: ['is for cards only'],
    node: 'encode',
  },
];
