import type { Graph } from '../../../src/pipeline/graph.ts';
import { GraphBuilder, node } from './build.ts';

export type TestPlatform = 'dgpu' | 'jetson' | 'orin-nano' | 'sbsa';
export const PLATFORMS: readonly TestPlatform[] = ['dgpu', 'jetson', 'orin-nano', 'sbsa'];

const NVMM = 'video/x-raw(memory:NVMM)';
const LIBRARY = '/opt/nvidia/deepstream/deepstream/lib/libnvds_nvmultiobjecttracker.so';

/** What the sinks of a live pipeline need. */
export const LIVE_SINK = { sync: false, async: false, qos: false };

/**
 * The static graph: cameras, batch, detector, tracker, analytics, and three branches behind a tee: metadata, a snapshot
 * of the first camera, and drawn video of the second.
 */
export function staticGraph(platform: TestPlatform, streams: number, live = true): Graph {
  const graph = new GraphBuilder();
  for (let i = 0; i < streams; i++) addSource(graph, i, live);
  addBatch(graph, streams, live);
  graph
    .node('mux-queue', 'queue')
    .node('infer', 'nvinfer', {
      'config-file-path': '/etc/sightline/det.txt',
      'batch-size': streams,
      'unique-id': 1,
    })
    .node('infer-queue', 'queue')
    .node('track', 'nvtracker', {
      'll-lib-file': LIBRARY,
      'll-config-file': '/etc/sightline/trk.yml',
      'tracker-width': 960,
      'tracker-height': 544,
    })
    .node('track-queue', 'queue')
    .node('analytics', 'nvdsanalytics', { 'config-file': '/etc/sightline/an.txt' })
    .node('split', 'tee')
    .chain(
      'mux',
      'mux-queue',
      'infer',
      'infer-queue',
      'track',
      'track-queue',
      'analytics',
      'split',
    );
  addMetadata(graph, streams);
  graph
    .node('demux-queue', 'queue', { leaky: 'downstream', 'max-size-buffers': 2 })
    .node('demux', 'nvstreamdemux')
    .chain('split', 'demux-queue', 'demux');
  addSnapshot(graph, platform);
  if (streams > 1) addDrawn(graph, platform);
  return graph.build(ids(streams));
}

function ids(streams: number): string[] {
  return Array.from({ length: streams }, (_, i) => `cam${i}`);
}

function addSource(graph: GraphBuilder, index: number, live: boolean): void {
  const uri = live ? `rtsp://cam${index}.example/main` : `file:///media/clip${index}.mp4`;
  const reconnect = {
    'select-rtp-protocol': 4,
    latency: 200,
    'rtsp-reconnect-interval': 10,
    'init-rtsp-reconnect-interval': 10,
  };
  graph
    .node(
      `source-${index}`,
      'nvurisrcbin',
      { uri, 'source-id': index, ...(live ? reconnect : {}) },
      { origin: `/streams/${index}/source`, stream: `cam${index}` },
    )
    .choice(`source-${index}`, `decoded-${index}`, { caps: NVMM, chain: [] })
    .node(`decoded-${index}`, 'slstamp', { stage: 'decode' }, { stream: `cam${index}` })
    .chain(`decoded-${index}`, `mux.sink_${index}`);
}

function addBatch(graph: GraphBuilder, streams: number, live: boolean): void {
  graph.node(
    'mux',
    'nvstreammux',
    {
      'batch-size': streams,
      width: 1920,
      height: 1080,
      'attach-sys-ts': false,
      ...(live
        ? { 'live-source': true, 'batched-push-timeout': 40_000, 'drop-pipeline-eos': true }
        : {}),
    },
    { origin: '/deepstream/muxer' },
  );
}

export function addMetadata(graph: GraphBuilder, streams: number): void {
  const map = ids(streams).map((id, index) => `${index}=${id}/${id}`);
  graph
    .node('metadata-queue', 'queue', { leaky: 'downstream', 'max-size-buffers': 4 })
    .node('meta', 'sldsmeta', {
      streams: map.join(';'),
      models: '1=centernet/1',
      tracker: 'nvdcf',
      'capture-clock': 'rtcp',
      padding: false,
    })
    .node('metadata', 'appsink', { sync: false, async: false }, { outputKind: 1 })
    .chain('split', 'metadata-queue', 'meta', 'metadata');
}

/** A valve before the encoder makes snapshots on demand. */
function addSnapshot(graph: GraphBuilder, platform: TestPlatform): void {
  const sbsa = platform === 'sbsa';
  const format = { dgpu: 'I420', sbsa: 'RGB', jetson: 'NV12', 'orin-nano': 'NV12' }[platform];
  graph
    .node('jpeg-queue', 'queue')
    .node('jpeg-valve', 'valve', { drop: true })
    .node('jpeg-convert', 'nvvideoconvert')
    .node('jpeg', sbsa ? 'nvimageenc' : 'nvjpegenc', { quality: 85 })
    .node('jpegs', 'appsink', { sync: false, async: false, 'max-buffers': 2 }, { outputKind: 2 })
    .chain('demux.src_0', 'jpeg-queue', 'jpeg-valve', 'jpeg-convert')
    .chain('jpeg-convert', `${NVMM},format=${format}`, 'jpeg', 'jpegs');
}

function addDrawn(graph: GraphBuilder, platform: TestPlatform): void {
  graph
    .node('draw-queue', 'queue')
    .node('draw-convert', 'nvvideoconvert')
    .node('draw', 'nvdsosd')
    .node('encode-convert', 'nvvideoconvert')
    .node('encode', ...encoder(platform))
    .node('encode-parse', 'h264parse', { 'config-interval': -1 })
    .node('pay-queue', 'queue')
    .node('pay', 'rtph264pay')
    .node('udp', 'udpsink', { host: '127.0.0.1', port: 5400, ...LIVE_SINK })
    .chain('demux.src_1', 'draw-queue', 'draw-convert', `${NVMM},format=RGBA`, 'draw')
    .chain('draw', 'encode-convert', encoderCaps(platform), 'encode', 'encode-parse')
    .chain('encode-parse', 'pay-queue', 'pay', 'udp');
}

function encoderCaps(platform: TestPlatform): string {
  return platform === 'orin-nano' ? 'video/x-raw,format=NV12' : `${NVMM},format=NV12`;
}

function encoder(platform: TestPlatform): [string, Record<string, number | boolean | string>] {
  if (platform === 'orin-nano') {
    return ['x264enc', { bitrate: 4000, tune: 'zerolatency', 'key-int-max': 30 }];
  }
  const common = {
    bitrate: 4_000_000,
    'insert-sps-pps': true,
    idrinterval: 30,
    iframeinterval: 30,
  };
  const own =
    platform === 'jetson'
      ? { 'preset-level': 1, 'maxperf-enable': true }
      : { 'preset-id': 1, 'tuning-info-id': 3 };
  return ['nvv4l2h264enc', { ...common, ...own }];
}

/** Cameras come and go: one element with NVIDIA's own server in place of sources and muxer. */
export function dynamicGraph(streams: number): Graph {
  const graph = new GraphBuilder()
    .node('source', 'nvmultiurisrcbin', {
      port: '127.0.0.1:9000',
      'max-batch-size': streams,
      'batched-push-timeout': 40_000,
      width: 1920,
      height: 1080,
      'live-source': true,
      'drop-pipeline-eos': true,
      'attach-sys-ts': false,
      'rtsp-reconnect-interval': 10,
      'select-rtp-protocol': 4,
      latency: 200,
    })
    .node('mux-queue', 'queue')
    .node('infer', 'nvinfer', {
      'config-file-path': '/etc/sightline/det.txt',
      'batch-size': streams,
    })
    .node('track', 'nvtracker', { 'll-lib-file': LIBRARY })
    .node('analytics', 'nvdsanalytics', { 'config-file': '/etc/sightline/an.txt' })
    .node('split', 'tee')
    .chain('source', 'mux-queue', 'infer', 'track', 'analytics', 'split');
  addMetadata(graph, streams);
  return graph.build(ids(streams));
}

/** The source path of ours on a GPU: rtspsrc, parsed and decoded by hand, one stream. */
export function rtspsrcGraph(platform: TestPlatform): Graph {
  const decoder = (id: string) =>
    node(
      id,
      'nvv4l2decoder',
      platform === 'jetson' || platform === 'orin-nano'
        ? { 'enable-max-performance': true }
        : { 'gpu-id': 0 },
    );
  const graph = new GraphBuilder()
    .node('source', 'rtspsrc', { location: 'rtsps://cam.example/main', protocols: 'tcp' })
    .choice(
      'source',
      'decoded',
      {
        caps: 'application/x-rtp,media=video,encoding-name=H264',
        chain: [
          node('h264-depay', 'rtph264depay'),
          node('h264-parse', 'h264parse'),
          decoder('h264'),
        ],
      },
      {
        caps: 'application/x-rtp,media=video,encoding-name=H265',
        chain: [
          node('h265-depay', 'rtph265depay'),
          node('h265-parse', 'h265parse'),
          decoder('h265'),
        ],
      },
    )
    .node('decoded', 'slstamp', { stage: 'decode' });
  addBatch(graph, 1, true);
  graph
    .chain('decoded', 'mux.sink_0')
    .node('mux-queue', 'queue')
    .node('infer', 'nvinfer', { 'config-file-path': '/etc/det.txt', 'batch-size': 1 })
    .node('split', 'tee')
    .chain('mux', 'mux-queue', 'infer', 'split');
  addMetadata(graph, 1);
  return graph.build(['cam0']);
}
