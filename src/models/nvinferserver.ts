import { type LoadedManifest, type Manifest, needsNms } from './manifest.ts';
import { PARSER_SYMBOLS } from './nvinfer.ts';

/** What an nvinferserver is to do with a model, beside what the manifest says. */
export interface InferServerWishes {
  readonly uniqueId: number;
  readonly processMode: 1 | 2;
  readonly batchSize: number;
  readonly gpuId: number;
  readonly threshold?: number;
  readonly dropClassIds: readonly number[];
  readonly operateOn?: { readonly gieId: number; readonly classIds?: readonly number[] };
  readonly interval: number;
  readonly minWidth: number;
  readonly minHeight: number;
  readonly parserLibrary: string;
  /** Folder of Triton models; absolute. The model's folder in it has the manifest's name. */
  readonly modelRepository: string;
}

const FORMATS = { rgb: 'IMAGE_FORMAT_RGB', bgr: 'IMAGE_FORMAT_BGR', gray: 'IMAGE_FORMAT_GRAY' };
const DEFAULT_IOU = 0.45;

/** A field of a message: a scalar as text, or the fields of a message. */
type Field = readonly [name: string, value: string | number | boolean | readonly Field[]];

/** Text form of nvinferserver's `PluginControl` for a detector that Triton runs in this process. */
export function formatInferServerConfig(model: LoadedManifest, wishes: InferServerWishes): string {
  const { manifest } = model;
  const head = `# Made from the manifest of ${manifest.name} ${manifest.version}: edit that, not this.\n`;
  return head + text([inferConfig(model, wishes), inputControl(wishes), ...outputControl(wishes)]);
}

function inferConfig(model: LoadedManifest, wishes: InferServerWishes): Field {
  const { manifest } = model;
  return [
    'infer_config',
    [
      ['unique_id', wishes.uniqueId],
      ['gpu_ids', wishes.gpuId],
      ['max_batch_size', wishes.batchSize],
      [
        'backend',
        [
          ['inputs', [['name', quoted(manifest.input.name)]]],
          ...manifest.outputs.map(({ name }): Field => ['outputs', [['name', quoted(name)]]]),
          [
            'triton',
            [
              ['model_name', quoted(manifest.name)],
              ['version', -1],
              [
                'model_repo',
                [
                  ['root', quoted(wishes.modelRepository)],
                  ['strict_model_config', true],
                ],
              ],
            ],
          ],
        ],
      ],
      preprocess(manifest),
      postprocess(model, wishes),
      ['custom_lib', [['path', quoted(wishes.parserLibrary)]]],
    ],
  ];
}

function preprocess({ input }: Manifest): Field {
  return [
    'preprocess',
    [
      ['network_format', FORMATS[input.colour]],
      ['tensor_order', input.layout === 'nhwc' ? 'TENSOR_ORDER_NHWC' : 'TENSOR_ORDER_LINEAR'],
      ['tensor_name', quoted(input.name)],
      ['maintain_aspect_ratio', Number(input.keepAspect)],
      ['symmetric_padding', Number(input.symmetricPadding)],
      [
        'normalize',
        [
          ['scale_factor', input.scale],
          ...input.offsets.map((offset): Field => ['channel_offsets', offset]),
        ],
      ],
    ],
  ];
}

function postprocess(
  { manifest, labels, labelsFile }: LoadedManifest,
  wishes: InferServerWishes,
): Field {
  const { parser, nms, topk } = manifest;
  const least = wishes.threshold ?? manifest.thresholds.default;
  const classes = wishes.threshold === undefined ? manifest.thresholds.classes : {};
  const cluster: Field = needsNms(parser)
    ? [
        'nms',
        [
          ['confidence_threshold', least],
          ['iou_threshold', nms?.iou ?? DEFAULT_IOU],
          ...(topk === undefined ? [] : [['topk', topk] as const]),
        ],
      ]
    : ['simple_cluster', [['threshold', least]]];
  const perClass = Object.entries(classes).map(
    ([label, threshold]): Field => [
      'per_class_params',
      [
        ['key', labels.indexOf(label)],
        ['value', [['pre_threshold', threshold]]],
      ],
    ],
  );
  return [
    'postprocess',
    [
      ['labelfile_path', quoted(labelsFile)],
      [
        'detection',
        [
          ['num_detected_classes', labels.length],
          ...perClass,
          ['custom_parse_bbox_func', quoted(PARSER_SYMBOLS[parser])],
          cluster,
        ],
      ],
    ],
  ];
}

function inputControl(wishes: InferServerWishes): Field {
  const { processMode, operateOn, interval, minWidth, minHeight } = wishes;
  if (processMode === 1) {
    return [
      'input_control',
      [
        ['process_mode', 'PROCESS_MODE_FULL_FRAME'],
        ['interval', interval],
      ],
    ];
  }
  const filter: Field[] = [
    ['min_width', minWidth],
    ['min_height', minHeight],
  ];
  return [
    'input_control',
    [
      ['process_mode', 'PROCESS_MODE_CLIP_OBJECTS'],
      ...(operateOn === undefined ? [] : [['operate_on_gie_id', operateOn.gieId] as const]),
      ...(operateOn?.classIds ?? []).map((id): Field => ['operate_on_class_ids', id]),
      ['secondary_reinfer_interval', interval],
      ['object_control', [['bbox_filter', filter]]],
    ],
  ];
}

function outputControl({ dropClassIds }: InferServerWishes): Field[] {
  if (dropClassIds.length === 0) return [];
  const dropped = dropClassIds.map((id): Field => ['filter_out_class_ids', id]);
  return [['output_control', [['detect_control', dropped]]]];
}

function quoted(value: string): string {
  return JSON.stringify(value);
}

function text(fields: readonly Field[], indent = ''): string {
  return fields
    .map(([name, value]) =>
      typeof value === 'object'
        ? `${indent}${name} {\n${text(value, `${indent}  `)}${indent}}\n`
        : `${indent}${name}: ${value}\n`,
    )
    .join('');
}
