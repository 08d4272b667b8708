import type { GeneratedFile, Lowered } from '../../../src/pipeline/graph.ts';
import { lowered, node } from './build.ts';
import { staticGraph, type TestPlatform } from './canonical.ts';
import { setProperty } from './mutate.ts';

const FOLDER = '/var/lib/sightline/deepstream';

/** Paths of the generated files. */
export const PATHS = {
  primary: `${FOLDER}/primary-0a1b.txt`,
  secondary: `${FOLDER}/secondary-1b2c.txt`,
  tracker: `${FOLDER}/tracker-2c3d.yml`,
  analytics: `${FOLDER}/analytics-3d4e.txt`,
  labels: `${FOLDER}/labels-4e5f.txt`,
  muxer: `${FOLDER}/muxer-5f60.txt`,
  triton: `${FOLDER}/triton-6071.txt`,
};

const PRIMARY = `[property]
gie-unique-id=1
process-mode=1
network-type=0
network-mode=2
onnx-file=/models/yolox/model.onnx
labelfile-path=${PATHS.labels}
num-detected-classes=3
batch-size=1
infer-dims=3;416;416
offsets=0;0;0
net-scale-factor=0.0039215697
model-color-format=0
maintain-aspect-ratio=1
symmetric-padding=1
cluster-mode=2
filter-out-class-ids=1
parse-bbox-func-name=SightlineParseYoloX
custom-lib-path=/usr/lib/libsightline_parsers.so

[class-attrs-all]
pre-cluster-threshold=0.35
nms-iou-threshold=0.45
topk=200

[class-attrs-2]
pre-cluster-threshold=0.5
`;

const SECONDARY = `[property]
gie-unique-id=2
process-mode=2
network-type=1
network-mode=2
onnx-file=/models/colour/model.onnx
batch-size=16
operate-on-gie-id=1
operate-on-class-ids=0;2
classifier-threshold=0.5
classifier-type=colour
classifier-async-mode=1
`;

const TRACKER = `%YAML:1.0
BaseConfig:
  minDetectorConfidence: 0.1
TargetManagement:
  maxTargetsPerStream: 150
  probationAge: 3
  maxShadowTrackingAge: 30
TrajectoryManagement:
  useUniqueID: 0
DataAssociator:
  dataAssociatorType: 0
  checkClassMatch: 1
StateEstimator:
  stateEstimatorType: 1
VisualTracker:
  visualTrackerType: 1
  useColorNames: 1
  featureImgSizeLevel: 2
  vpiBackend4DcfTracker: 1
ReID:
  reidType: 0
  inferDims: [3, 256, 128]
`;

const ANALYTICS = `[property]
enable=1
config-width=10000
config-height=10000
osd-mode=0

[roi-filtering-stream-0]
enable=1
roi-dock=1000;1000;9000;1000;9000;9000;1000;9000
inverse-roi=0
class-id=-1

[overcrowding-stream-1]
enable=1
roi-gate=0;0;10000;0;10000;10000
object-threshold=5

[line-crossing-stream-0]
enable=1
line-crossing-in=5000;4000;5000;6000;1000;5000;9000;5000
class-id=0;2
extended=0
mode=balanced

[direction-detection-stream-1]
enable=1
direction-north=5000;9000;5000;1000
`;

const MUXER = `[property]
algorithm-type=1
batch-size=2
overall-max-fps-n=60
overall-max-fps-d=1
overall-min-fps-n=25
overall-min-fps-d=1

[source-config-0]
max-fps-n=30
`;

const TRITON = `# Written by Sightline
infer_config {
  unique_id: 1
  gpu_ids: [0]
  max_batch_size: 2
  backend {
    inputs [ { name: "images" dims: [3, 416, 416] data_type: TENSOR_DT_FP32 } ]
    triton {
      model_name: "yolox"
      version: -1
      model_repo {
        root: "/models/triton"
        strict_model_config: true
      }
    }
  }
  preprocess {
    network_format: IMAGE_FORMAT_RGB
    tensor_order: TENSOR_ORDER_LINEAR
    maintain_aspect_ratio: 1
    normalize { scale_factor: 0.0039215697 channel_offsets: [0, 0, 0] }
  }
  postprocess {
    labelfile_path: "${PATHS.labels}"
    detection {
      num_detected_classes: 3
      per_class_params { key: 0 value { pre_threshold: 0.4 } }
      nms { confidence_threshold: 0.35 iou_threshold: 0.45 topk: 200 }
    }
  }
}
input_control { process_mode: PROCESS_MODE_FULL_FRAME interval: 0 }
`;

function file(kind: GeneratedFile['kind'], path: string, text: string, origin: string) {
  return { kind, path, text, origin };
}

const LABELS = file('labels', PATHS.labels, 'person\nbicycle\ncar\n', '/infer/model');

/** A pipeline of two cameras with every file a spec can ask for: detector, classifier, tracker, analytics. */
export function full(platform: TestPlatform = 'dgpu', live = true): Lowered {
  let graph = staticGraph(platform, 2, live);
  graph = setProperty(graph, 'infer', 'config-file-path', PATHS.primary);
  graph = setProperty(graph, 'track', 'll-config-file', PATHS.tracker);
  graph = setProperty(graph, 'analytics', 'config-file', PATHS.analytics);
  const classify = node(
    'classify-colour',
    'nvinfer',
    { 'config-file-path': PATHS.secondary, 'unique-id': 2, 'infer-on-gie-id': 1 },
    { role: 'classify', origin: '/secondary/0' },
  );
  const links = graph.links.map((link) =>
    link.to === 'analytics' ? { ...link, to: 'classify-colour' } : link,
  );
  return lowered(
    {
      ...graph,
      nodes: [...graph.nodes, classify],
      links: [...links, { from: 'classify-colour', to: 'analytics' }],
    },
    {
      files: [
        file('nvinfer', PATHS.primary, PRIMARY, '/infer'),
        file('nvinfer', PATHS.secondary, SECONDARY, '/secondary/0'),
        file('tracker', PATHS.tracker, TRACKER, '/track'),
        file('analytics', PATHS.analytics, ANALYTICS, '/analytics'),
        LABELS,
      ],
    },
  );
}

/** The same with the new muxer, which has a file and no size. */
export function fullNew(): Lowered {
  const base = full();
  const nodes = base.graphs[0]!.nodes.map((item) => {
    if (item.id !== 'mux') return item;
    const { width, height, ['live-source']: live, ...rest } = item.properties;
    return { ...item, properties: { ...rest, 'config-file-path': PATHS.muxer } };
  });
  return {
    ...base,
    graphs: [{ ...base.graphs[0]!, nodes }],
    files: [...base.files, file('muxer', PATHS.muxer, MUXER, '/deepstream/muxer')],
    environment: { USE_NEW_NVSTREAMMUX: 'yes' },
  };
}

/** The same with Triton for the detector. */
export function fullTriton(): Lowered {
  const base = full();
  const nodes = base.graphs[0]!.nodes.map((item) =>
    item.id === 'infer'
      ? {
          ...item,
          factory: 'nvinferserver',
          properties: { 'config-file-path': PATHS.triton, 'unique-id': 1 },
        }
      : item,
  );
  const files = base.files.filter(({ path }) => path !== PATHS.primary);
  return {
    ...base,
    graphs: [{ ...base.graphs[0]!, nodes }],
    files: [...files, file('nvinferserver', PATHS.triton, TRITON, '/infer')],
  };
}
