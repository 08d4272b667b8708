import { lowered, node } from '../build.ts';
import { rtspsrcGraph } from '../canonical.ts';
import type { WrongCase } from '../corpus.ts';
import { fullNew } from '../full.ts';
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
  unlink,
} from '../mutate.ts';

const NVMM = 'video/x-raw(memory:NVMM)';

function rtsp() {
  return lowered(rtspsrcGraph('dgpu'));
}

/** Links over which nothing can pass. */
export const WRONG_CAPS: readonly WrongCase[] = [
  {
    name: 'a filter that is not caps',
    change: relink('jpeg-convert', 'jpeg', { caps: 'NV12 please' }),
    says: ['has a filter that is not caps'],
    node: 'jpeg',
  },
  {
    name: 'I420 to a detector',
    change: insert('mux', node('to-i420', 'nvvideoconvert'), 'mux-queue', `${NVMM},format=I420`),
    says: ['cannot carry anything', 'format I420', 'nvinfer takes', 'NV12|RGBA', 'converter'],
    node: 'infer',
    several: true,
  },
  {
    name: 'system memory to a detector',
    change: insert('mux-queue', node('down', 'nvvideoconvert'), 'infer', 'video/x-raw,format=NV12'),
    says: [
      'the link down -> infer',
      'but nvinfer takes video/x-raw(memory:NVMM)',
      'different memory',
    ],
    node: 'infer',
    several: true,
  },
  {
    name: 'system memory to the old muxer',
    change: inGraph((graph) => ({
      ...graph,
      choices: graph.choices.map((choice, index) =>
        index === 0 ? { ...choice, alternatives: [{ caps: 'video/x-raw', chain: [] }] } : choice,
      ),
    })),
    says: ['decoded-0 -> mux.sink_0', 'nvstreammux takes video/x-raw(memory:NVMM)'],
    node: 'mux',
    pointer: '/deepstream/muxer',
  },
  {
    name: 'surfaces to an encoder that has none',
    change: replace('encode', 'x264enc', { bitrate: 4000 }),
    says: ['x264enc takes video/x-raw format', 'different memory'],
    node: 'encode',
  },
  {
    name: 'system memory to the encoder',
    change: relink('encode-convert', 'encode', { caps: 'video/x-raw,format=NV12' }),
    says: ['nvv4l2h264enc takes video/x-raw(memory:NVMM)'],
    node: 'encode',
  },
  {
    name: 'NV12 to the JPEG encoder of cards',
    change: relink('jpeg-convert', 'jpeg', { caps: `${NVMM},format=NV12` }),
    says: ['nvjpegenc takes', 'I420|RGB'],
    node: 'jpeg',
  },
  {
    name: 'RGB to the JPEG encoder of Jetson',
    platform: 'jetson',
    change: relink('jpeg-convert', 'jpeg', { caps: `${NVMM},format=RGB` }),
    says: ['nvjpegenc takes'],
    node: 'jpeg',
  },
  {
    name: 'NV12 to the JPEG encoder of an Arm server',
    platform: 'sbsa',
    change: relink('jpeg-convert', 'jpeg', { caps: `${NVMM},format=NV12` }),
    says: ['nvimageenc takes', 'RGB'],
    node: 'jpeg',
  },
  {
    name: 'I420 to what draws',
    change: relink('draw-convert', 'draw', { caps: `${NVMM},format=I420` }),
    says: ['nvdsosd takes', 'NV12|RGBA'],
    node: 'draw',
  },
  {
    name: 'a format the converter does not make',
    change: relink('draw-convert', 'draw', { caps: `${NVMM},format=YV12` }),
    says: ['nvvideoconvert gives', 'the filter asks for', 'YV12'],
    node: 'draw',
  },
  {
    name: 'a format only Jetson has',
    change: relink('draw-convert', 'draw', { caps: `${NVMM},format=YUY2` }),
    says: ['the filter asks for', 'YUY2'],
    node: 'draw',
  },
  {
    name: 'pictures to a parser',
    change: bypass('encode'),
    says: ['h264parse takes video/x-h264'],
    node: 'encode-parse',
  },
  {
    name: 'packets to a decoder',
    base: () => rtsp(),
    change: inGraph((graph) => ({
      ...graph,
      choices: graph.choices.map((choice) => ({
        ...choice,
        alternatives: choice.alternatives.map(({ caps, chain }) => ({
          caps,
          chain: chain.slice(2),
        })),
      })),
    })),
    says: ['nvv4l2decoder takes', 'application/x-rtp'],
    node: 'h264',
    several: true,
  },
  {
    name: 'H.265 packets to the H.264 depayloader',
    base: () => rtsp(),
    change: replace('h265-depay', 'rtph264depay'),
    says: ['encoding-name H265', 'rtph264depay takes'],
    node: 'h265-depay',
    several: true,
  },
  {
    name: 'a parser of another codec in a chain',
    base: () => rtsp(),
    change: replace('h264-parse', 'h265parse'),
    says: ['rtph264depay gives video/x-h264', 'h265parse takes video/x-h265'],
    node: 'h264-parse',
  },
  {
    name: 'caps no pad of the source has',
    base: () => rtsp(),
    change: inGraph((graph) => ({
      ...graph,
      choices: graph.choices.map((choice) => ({
        ...choice,
        alternatives: choice.alternatives.map(({ chain }, index) => ({
          caps: index === 0 ? 'video/x-h264' : 'application/x-rtp,encoding-name=H265',
          chain,
        })),
      })),
    })),
    says: ['rtspsrc gives', 'the filter asks for video/x-h264'],
    node: 'h264-depay',
  },
  {
    name: 'a message to an element of pictures',
    change: all(
      relink('metadata-queue', 'meta', { to: 'metadata' }),
      unlink('meta', 'metadata'),
      link('meta', 'draw'),
    ),
    says: ['cannot carry anything', 'application/x-protobuf'],
    node: 'draw',
    several: true,
  },
  {
    name: 'a sink that takes something else',
    change: set('jpegs', 'caps', 'image/png'),
    says: ['nvjpegenc gives image/jpeg', 'appsink takes image/png'],
    node: 'jpegs',
  },
  {
    name: 'a capsfilter against its neighbour',
    change: insert(
      'draw-queue',
      node('only', 'capsfilter', { caps: 'video/x-raw,format=RGB' }),
      'draw-convert',
    ),
    says: ['capsfilter takes video/x-raw format RGB'],
    node: 'only',
  },
  {
    name: 'different formats into the new muxer',
    base: fullNew,
    change: all(
      add(node('c0', 'nvvideoconvert'), node('c1', 'nvvideoconvert')),
      relink('decoded-0', 'mux.sink_0', { to: 'c0' }),
      relink('decoded-1', 'mux.sink_1', { to: 'c1' }),
      link('c0', 'mux.sink_0', `${NVMM},format=NV12`),
      link('c1', 'mux.sink_1', `${NVMM},format=RGBA`),
    ),
    says: ['its streams have different formats', 'nvvideoconvert before it'],
    node: 'mux',
  },
];
