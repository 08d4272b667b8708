import type { Graph } from '../../../src/pipeline/graph.ts';
import { GraphBuilder, node } from './build.ts';
import type { TestPlatform } from './canonical.ts';

/**
 * The shapes of NVIDIA's public sample applications, as graphs: which elements they use, in which order, with which
 * settings. They run unattended by nobody, so what a pipeline of ours must have is only advised here.
 */
export interface Example {
  readonly name: string;
  readonly platforms: readonly TestPlatform[];
  readonly graph: Graph;
  readonly environment?: Readonly<Record<string, string>>;
}

const NVMM = 'video/x-raw(memory:NVMM)';
const CARDS: readonly TestPlatform[] = ['dgpu', 'sbsa'];
const JETSONS: readonly TestPlatform[] = ['jetson', 'orin-nano'];
const ALL: readonly TestPlatform[] = [...CARDS, ...JETSONS];
const SIZE = { width: 1920, height: 1080, 'batched-push-timeout': 40_000 };
const TRACKER = {
  'll-lib-file': '/opt/nvidia/deepstream/deepstream/lib/libnvds_nvmultiobjecttracker.so',
  'll-config-file': 'config_tracker_NvDCF_perf.yml',
  'tracker-width': 960,
  'tracker-height': 544,
};

/** A file of H.264, parsed and decoded. */
function file(graph: GraphBuilder, to: string): GraphBuilder {
  return graph
    .node('file', 'filesrc', { location: 'sample_720p.h264' })
    .node('parse', 'h264parse')
    .node('decode', 'nvv4l2decoder')
    .chain('file', 'parse', 'decode', to);
}

function screen(graph: GraphBuilder, from: string, jetson: boolean): GraphBuilder {
  return graph
    .node('convert', 'nvvideoconvert')
    .node('draw', 'nvdsosd')
    .node('screen', jetson ? 'nv3dsink' : 'nveglglessink', { sync: false })
    .chain(from, 'convert', 'draw', 'screen');
}

/** One file, one detector, a screen. */
function test1(jetson: boolean): Graph {
  const graph = new GraphBuilder()
    .node('mux', 'nvstreammux', { 'batch-size': 1, ...SIZE })
    .node('infer', 'nvinfer', { 'config-file-path': 'dstest1_pgie_config.txt' })
    .chain('mux', 'infer');
  return screen(file(graph, 'mux.sink_0'), 'infer', jetson).build();
}

/** With a tracker and two classifiers of what was found. */
function test2(): Graph {
  const graph = new GraphBuilder()
    .node('mux', 'nvstreammux', { 'batch-size': 1, ...SIZE })
    .node('infer', 'nvinfer', { 'config-file-path': 'pgie.txt', 'unique-id': 1 })
    .node('track', 'nvtracker', TRACKER)
    .node('make', 'nvinfer', {
      'config-file-path': 'sgie1.txt',
      'process-mode': 2,
      'unique-id': 2,
      'infer-on-gie-id': 1,
      'infer-on-class-ids': '0',
    })
    .node('type', 'nvinfer', {
      'config-file-path': 'sgie2.txt',
      'process-mode': 'secondary',
      'unique-id': 3,
      'infer-on-gie-id': 1,
      'infer-on-class-ids': '0:2',
    })
    .chain('mux', 'infer', 'track', 'make', 'type');
  return screen(file(graph, 'mux.sink_0'), 'type', false).build();
}

/** Any number of addresses, tiles on a screen. */
function test3(streams: number): Graph {
  const graph = new GraphBuilder();
  for (let i = 0; i < streams; i++) {
    graph
      .node(`source-${i}`, 'uridecodebin', { uri: `file:///media/${i}.mp4` })
      .choice(`source-${i}`, `mux.sink_${i}`, { caps: NVMM, chain: [] });
  }
  graph
    .node('mux', 'nvstreammux', { 'batch-size': streams, ...SIZE })
    .node('q1', 'queue')
    .node('infer', 'nvinfer', { 'config-file-path': 'pgie.txt', 'batch-size': streams })
    .node('q2', 'queue')
    .node('tiles', 'nvmultistreamtiler', { rows: 2, columns: 2, width: 1280, height: 720 })
    .node('q3', 'queue')
    .chain('mux', 'q1', 'infer', 'q2', 'tiles', 'q3');
  return screen(graph, 'q3', false).build();
}

/** Messages to a broker beside the screen. */
function test4(): Graph {
  const graph = new GraphBuilder()
    .node('mux', 'nvstreammux', { 'batch-size': 1, ...SIZE })
    .node('infer', 'nvinfer', { 'config-file-path': 'pgie.txt' })
    .node('osd-convert', 'nvvideoconvert')
    .node('osd', 'nvdsosd')
    .node('tee', 'tee')
    .node('q1', 'queue')
    .node('q2', 'queue')
    .node('message', 'nvmsgconv', { config: 'dstest4_msgconv_config.txt', 'payload-type': 0 })
    .node('broker', 'nvmsgbroker', {
      'proto-lib': '/opt/nvidia/deepstream/deepstream/lib/libnvds_kafka_proto.so',
      'conn-str': 'kafka.example;9092',
      topic: 'quickstart-events',
      sync: false,
    })
    .node('screen', 'nveglglessink', { sync: true })
    .chain('mux', 'infer', 'osd-convert', 'osd', 'tee', 'q1', 'message', 'broker')
    .chain('tee', 'q2', 'screen');
  return file(graph, 'mux.sink_0').build();
}

/** Lines and zones over tracks. */
function analytics(): Graph {
  const graph = new GraphBuilder()
    .node('mux', 'nvstreammux', { 'batch-size': 1, ...SIZE })
    .node('infer', 'nvinfer', { 'config-file-path': 'pgie.txt' })
    .node('track', 'nvtracker', TRACKER)
    .node('analytics', 'nvdsanalytics', { 'config-file': 'config_nvdsanalytics.txt' })
    .node('tiles', 'nvmultistreamtiler')
    .chain('mux', 'infer', 'track', 'analytics', 'tiles');
  return screen(file(graph, 'mux.sink_0'), 'tiles', false).build();
}

/** A camera sent on as RTP, encoded in hardware. */
function rtspOut(jetson: boolean): Graph {
  const own = jetson ? { 'preset-level': 1 } : { 'preset-id': 1 };
  return new GraphBuilder()
    .node('camera', 'nvurisrcbin', { uri: 'rtsp://cam.example/live', type: 'rtsp' })
    .choice('camera', 'mux.sink_0', { caps: NVMM, chain: [] })
    .node('mux', 'nvstreammux', { 'batch-size': 1, ...SIZE, 'live-source': true })
    .node('infer', 'nvinfer', { 'config-file-path': 'pgie.txt' })
    .node('to-rgba', 'nvvideoconvert')
    .node('draw', 'nvdsosd')
    .node('to-nv12', 'nvvideoconvert')
    .node('encode', 'nvv4l2h264enc', { bitrate: 4_000_000, 'insert-sps-pps': true, ...own })
    .node('pay', 'rtph264pay')
    .node('udp', 'udpsink', { host: '224.224.255.255', port: 5400, async: false, sync: true })
    .chain('mux', 'infer', 'to-rgba', `${NVMM},format=RGBA`, 'draw', 'to-nv12')
    .chain('to-nv12', `${NVMM},format=I420`, 'encode', 'pay', 'udp')
    .build();
}

/** Each stream of a batch into a file of its own. */
function demux(): Graph {
  const graph = new GraphBuilder()
    .node('mux', 'nvstreammux', { 'batch-size': 2, ...SIZE })
    .node('infer', 'nvinfer', { 'config-file-path': 'pgie.txt', 'batch-size': 2 })
    .node('demux', 'nvstreamdemux')
    .chain('mux', 'infer', 'demux');
  for (const i of [0, 1]) {
    graph
      .node(`source-${i}`, 'nvurisrcbin', { uri: `file:///media/${i}.mp4` })
      .choice(`source-${i}`, `mux.sink_${i}`, { caps: NVMM, chain: [] })
      .node(`q-${i}`, 'queue')
      .node(`convert-${i}`, 'nvvideoconvert')
      .node(`encode-${i}`, 'nvv4l2h264enc')
      .node(`parse-${i}`, 'h264parse')
      .node(`box-${i}`, 'qtmux')
      .node(`out-${i}`, 'filesink', { location: `out${i}.mp4` })
      .chain(`demux.src_${i}`, `q-${i}`, `convert-${i}`, `encode-${i}`, `parse-${i}`)
      .chain(`parse-${i}`, `box-${i}`, `out-${i}`);
  }
  return graph.build();
}

/** Tensors made in front of the model, and parsed behind it. */
function tensors(): Graph {
  const graph = new GraphBuilder()
    .node('mux', 'nvstreammux', { 'batch-size': 1, ...SIZE })
    .node('pre', 'nvdspreprocess', { 'config-file': 'config_preprocess.txt' })
    .node('infer', 'nvinfer', {
      'config-file-path': 'pgie.txt',
      'input-tensor-meta': true,
      'output-tensor-meta': true,
    })
    .node('post', 'nvdspostprocess', {
      'postprocesslib-name': 'libpostprocess_impl.so',
      'postprocesslib-config-file': 'config_detector.yml',
    })
    .node('end', 'fakesink')
    .chain('mux', 'pre', 'infer', 'post', 'end');
  return file(graph, 'mux.sink_0').build();
}

/** Pictures as JPEG, on the processor or the card. */
function jpeg(sbsa: boolean): Graph {
  const graph = new GraphBuilder()
    .node('file', 'filesrc', { location: 'sample.mp4' })
    .node('parts', 'qtdemux')
    .node('convert', 'nvvideoconvert')
    .node('encode', sbsa ? 'nvimageenc' : 'nvjpegenc', { quality: 90 })
    .node('out', 'multifilesink', { location: 'frame-%05d.jpg' })
    .chain('file', 'parts')
    .choice('parts', 'convert', {
      caps: 'video/x-h264',
      chain: [node('parse', 'h264parse'), node('decode', 'nvv4l2decoder')],
    });
  return graph.chain('convert', `${NVMM},format=RGB`, 'encode', 'out').build();
}

/** Batches of the new muxer, whose settings stand in a file. */
function newMuxer(): Graph {
  const graph = new GraphBuilder()
    .node('mux', 'nvstreammux', { 'batch-size': 1, 'config-file-path': 'config_new_mux.txt' })
    .node('infer', 'nvinfer', { 'config-file-path': 'pgie.txt' })
    .node('end', 'fakesink', { sync: false })
    .chain('mux', 'infer', 'end');
  return file(graph, 'mux.sink_0').build();
}

/** A camera on USB, and one on a Jetson's own bus. */
function cameras(): Graph {
  return new GraphBuilder()
    .node('usb', 'v4l2src', { device: '/dev/video0' })
    .node('usb-convert', 'videoconvert')
    .node('usb-upload', 'nvvideoconvert')
    .node('csi', 'nvarguscamerasrc')
    .node('mux', 'nvstreammux', { 'batch-size': 2, 'live-source': true, ...SIZE })
    .node('infer', 'nvinfer', { 'config-file-path': 'pgie.txt', 'batch-size': 2 })
    .node('end', 'fakesink', { sync: false, async: false })
    .chain('usb', 'usb-convert', 'usb-upload', `${NVMM},format=NV12`, 'mux.sink_0')
    .chain('csi', `${NVMM},width=1920,height=1080,framerate=30/1`, 'mux.sink_1')
    .chain('mux', 'infer', 'end')
    .build();
}

export const EXAMPLES: readonly Example[] = [
  { name: 'a file on a screen', platforms: CARDS, graph: test1(false) },
  { name: 'a file on a screen of Jetson', platforms: JETSONS, graph: test1(true) },
  { name: 'a cascade', platforms: CARDS, graph: test2() },
  { name: 'tiles', platforms: ALL, graph: test3(4) },
  { name: 'messages', platforms: CARDS, graph: test4() },
  { name: 'analytics', platforms: CARDS, graph: analytics() },
  { name: 'RTSP out', platforms: CARDS, graph: rtspOut(false) },
  { name: 'RTSP out of Jetson', platforms: ['jetson'], graph: rtspOut(true) },
  { name: 'a file for each stream', platforms: ['dgpu', 'sbsa', 'jetson'], graph: demux() },
  { name: 'tensors before and after', platforms: ALL, graph: tensors() },
  { name: 'JPEG', platforms: ['dgpu'], graph: jpeg(false) },
  { name: 'JPEG of an Arm server', platforms: ['sbsa'], graph: jpeg(true) },
  {
    name: 'the new muxer',
    platforms: ALL,
    graph: newMuxer(),
    environment: { USE_NEW_NVSTREAMMUX: 'yes' },
  },
  { name: 'cameras of Jetson', platforms: JETSONS, graph: cameras() },
];
