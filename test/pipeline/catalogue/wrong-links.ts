import { lowered, node } from './build.ts';
import { rtspsrcGraph } from './canonical.ts';
import type { WrongCase } from './corpus.ts';
import { fullNew } from './full.ts';
import { add, all, bypass, inGraph, insert, link, relink, replace, set, unlink } from './mutate.ts';

const NVMM = 'video/x-raw(memory:NVMM)';

/** Pads that are not there or are taken, and links over which nothing can pass. */
export const WRONG_LINKS: readonly WrongCase[] = [
  {
    name: 'a pad that does not exist',
    change: relink('decoded-0', 'mux.sink_0', { to: 'mux.input_0' }),
    says: ['there is no pad "input_0"', '"sink_%u"'],
    node: 'mux',
    several: true,
  },
  {
    name: 'a request pad without a number',
    change: relink('decoded-0', 'mux.sink_0', { to: 'mux.sink_a' }),
    says: ['there is no pad "sink_a"'],
    node: 'mux',
    several: true,
  },
  {
    name: 'a link that ends in a source pad',
    change: relink('infer', 'infer-queue', { to: 'infer-queue.src' }),
    says: ['pad "src" is a src pad'],
    node: 'infer-queue',
    several: true,
  },
  {
    name: 'a link that starts at a sink pad',
    change: relink('meta', 'metadata', { from: 'meta.sink' }),
    says: ['pad "sink" is a sink pad'],
    node: 'meta',
    several: true,
  },
  {
    name: 'a link from an element that gives nothing',
    change: all(add(node('more', 'queue')), link('metadata', 'more')),
    says: ['it gives nothing to link from'],
    node: 'metadata',
    several: true,
  },
  {
    name: 'a link to a source',
    change: link('split', 'source-0'),
    says: ['it takes nothing'],
    node: 'source-0',
    several: true,
  },
  {
    name: 'a static link from pads that appear while running',
    change: inGraph((graph) => ({
      ...graph,
      choices: graph.choices.slice(1),
      links: [...graph.links, { from: 'source-0', to: 'decoded-0' }],
    })),
    says: ['"vsrc_%u" appear while it runs', 'needs a choice'],
    node: 'source-0',
    several: true,
  },
  {
    name: 'a static link from a named pad that appears',
    change: inGraph((graph) => ({
      ...graph,
      choices: graph.choices.slice(1),
      links: [...graph.links, { from: 'source-0.vsrc_0', to: 'decoded-0' }],
    })),
    says: ['needs a choice'],
    node: 'source-0',
    several: true,
  },
  {
    name: 'a choice behind pads that are always there',
    change: inGraph((graph) => ({
      ...graph,
      links: graph.links.filter(({ to }) => to !== 'meta'),
      choices: [
        ...graph.choices,
        { from: 'metadata-queue', to: 'meta', alternatives: [{ caps: NVMM, chain: [] }] },
      ],
    })),
    says: ['no pads that appear while it runs', 'use a link'],
    node: 'metadata-queue',
    several: true,
  },
  {
    name: 'two streams on one pad',
    change: relink('decoded-1', 'mux.sink_1', { to: 'mux.sink_0' }),
    says: ['pad "sink_0" has two links', 'decoded-0', 'decoded-1'],
    node: 'mux',
    several: true,
  },
  {
    name: 'two links to one pad',
    change: all(add(node('more', 'queue')), link('split', 'more'), link('more', 'metadata')),
    says: ['pad "sink" has two links'],
    node: 'metadata',
  },
  {
    name: 'two links from a pad that is no tee',
    change: all(
      add(node('more', 'fakesink', { sync: false, async: false })),
      link('analytics', 'more'),
    ),
    says: ['pad "src" has two links'],
    node: 'analytics',
  },
  {
    name: 'an element nothing reaches',
    change: unlink('mux', 'mux-queue'),
    says: ['pad "sink" is not linked: nothing reaches it'],
    node: 'mux-queue',
    several: true,
  },
  {
    name: 'an element whose data goes nowhere',
    change: unlink('meta', 'metadata'),
    says: ['pad "src" is not linked: its data has nowhere to go'],
    node: 'meta',
    several: true,
  },
  {
    name: 'a source without a choice',
    change: inGraph((graph) => ({ ...graph, choices: graph.choices.slice(0, 1) })),
    says: ['no pad "vsrc_%u" is linked'],
    node: 'source-1',
    several: true,
  },
  {
    name: 'a circle',
    change: all(
      add(node('back', 'queue')),
      relink('track', 'track-queue', { to: 'back' }),
      link('back', 'mux.sink_2'),
      set('mux', 'batch-size', 3),
      set('infer', 'batch-size', 3),
    ),
    says: ['its links run in a circle'],
    several: true,
  },
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

function rtsp() {
  return lowered(rtspsrcGraph('dgpu'));
}
