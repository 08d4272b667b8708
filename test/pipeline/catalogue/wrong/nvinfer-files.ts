import type { WrongCase } from '../corpus.ts';
import { PATHS } from '../full.ts';
import { edit, set } from '../mutate.ts';

const { primary, secondary, tracker, labels } = PATHS;

/** Files of nvinfer. */
export const WRONG_NVINFER_FILES: readonly WrongCase[] = [
  {
    name: 'nvinfer: a misspelled key',
    change: edit(primary, 'network-mode=2', 'network-mod=2'),
    says: ['its nvinfer file, line 5 [property] "network-mod"', 'did you mean "network-mode"?'],
    node: 'infer',
    pointer: '/infer',
    key: 'network-mod',
    line: 5,
  },
  {
    name: 'nvinfer: an underscore',
    change: edit(primary, 'onnx-file=', 'onnx_file='),
    says: ['there is no key "onnx_file"'],
    key: 'onnx_file',
    several: true,
  },
  {
    name: 'nvinfer: true for 1',
    change: edit(primary, 'maintain-aspect-ratio=1', 'maintain-aspect-ratio=true'),
    says: ['takes 0 or 1; it is "true"'],
    key: 'maintain-aspect-ratio',
  },
  {
    name: 'nvinfer: a precision that does not exist',
    change: edit(primary, 'network-mode=2', 'network-mode=fp16'),
    says: ['takes a whole number', '"fp16"'],
    key: 'network-mode',
  },
  {
    name: 'nvinfer: a number of no precision',
    change: edit(primary, 'network-mode=2', 'network-mode=4'),
    says: ['takes one of 0, 1, 2, 3'],
    key: 'network-mode',
  },
  {
    name: 'nvinfer: two dimensions',
    change: edit(primary, 'infer-dims=3;416;416', 'infer-dims=416;416'),
    says: ['takes 3 items, and has 2'],
    key: 'infer-dims',
    several: true,
  },
  {
    name: 'nvinfer: dimensions with commas',
    change: edit(primary, 'infer-dims=3;416;416', 'infer-dims=3,416,416'),
    says: ['its separator is ";"'],
    key: 'infer-dims',
    several: true,
  },
  {
    name: 'nvinfer: classes with colons, as in the property',
    change: edit(secondary, 'operate-on-class-ids=0;2', 'operate-on-class-ids=0:2'),
    says: ['its separator is ";"'],
    key: 'operate-on-class-ids',
    pointer: '/secondary/0',
  },
  {
    name: 'nvinfer: an offset a channel too few',
    change: edit(primary, 'offsets=0;0;0', 'offsets=0;0'),
    says: ['has 2 numbers, but "infer-dims" has 3 channels'],
    key: 'offsets',
  },
  {
    name: 'nvinfer: a threshold that is no number',
    change: edit(primary, 'pre-cluster-threshold=0.35', 'pre-cluster-threshold=high'),
    says: ['[class-attrs-all]', 'takes a number'],
    key: 'pre-cluster-threshold',
  },
  {
    name: 'nvinfer: an overlap above 1',
    change: edit(primary, 'nms-iou-threshold=0.45', 'nms-iou-threshold=45'),
    says: ['takes a number from 0 to 1'],
    key: 'nms-iou-threshold',
  },
  {
    name: 'nvinfer: a batch of nothing',
    change: edit(primary, 'batch-size=1', 'batch-size=0'),
    says: ['takes a whole number from 1 to 1024'],
    key: 'batch-size',
  },
  {
    name: 'nvinfer: a class beyond the last',
    change: edit(primary, '[class-attrs-2]', '[class-attrs-3]'),
    says: ['is about class 3, but "num-detected-classes" is 3'],
    node: 'infer',
  },
  {
    name: 'nvinfer: a class that is dropped beyond the last',
    change: edit(primary, 'filter-out-class-ids=1', 'filter-out-class-ids=1;80'),
    says: ['names class 80'],
    key: 'filter-out-class-ids',
  },
  {
    name: 'nvinfer: a detector without a number of classes',
    change: edit(primary, 'num-detected-classes=3\n', ''),
    says: ['must say how many classes'],
    key: 'num-detected-classes',
    several: true,
  },
  {
    name: 'nvinfer: more labels than classes',
    change: edit(labels, 'car\n', 'car\nbus\n'),
    says: ['a file of 4 labels, but "num-detected-classes" is 3'],
    key: 'labelfile-path',
  },
  {
    name: 'nvinfer: no model',
    change: edit(primary, /onnx-file=.*\n/, ''),
    says: ['names no model', 'onnx-file'],
    node: 'infer',
  },
  {
    name: 'nvinfer: a parser without its library',
    change: edit(primary, /custom-lib-path=.*\n/, ''),
    says: ['needs "custom-lib-path"'],
    key: 'parse-bbox-func-name',
  },
  {
    name: 'nvinfer: no [property]',
    change: edit(secondary, '[property]', '[properties]'),
    says: ['group [property] is missing'],
    node: 'classify-colour',
    several: true,
  },
  {
    name: 'nvinfer: a line that is nothing',
    change: edit(primary, 'cluster-mode=2', 'cluster-mode 2'),
    says: ['is neither [group] nor key=value'],
    node: 'infer',
  },
  {
    name: 'nvinfer: a key twice',
    change: edit(primary, 'topk=200', 'topk=200\ntopk=300'),
    says: ['stands here twice'],
    key: 'topk',
  },
  {
    name: 'nvinfer: a DLA of a card',
    change: edit(primary, 'cluster-mode=2', 'cluster-mode=2\nenable-dla=1'),
    says: ['must be 0 on dgpu: it has no DLA'],
    key: 'enable-dla',
  },
  {
    name: 'nvinfer: a DLA of an Orin Nano',
    platform: 'orin-nano',
    change: edit(primary, 'cluster-mode=2', 'cluster-mode=2\nenable-dla=1'),
    says: ['must be 0 on orin-nano'],
    key: 'enable-dla',
  },
  {
    name: 'nvinfer: a scaler of Jetson on a card',
    change: edit(primary, 'cluster-mode=2', 'cluster-mode=2\nscaling-compute-hw=2'),
    says: ['2 (VIC) is a unit of Jetson'],
    key: 'scaling-compute-hw',
  },
  {
    name: 'nvinfer: INI with the name of YAML',
    change: (base) => {
      const renamed = primary.replace('.txt', '.yml');
      const files = base.files.map((file) =>
        file.path === primary ? { ...file, path: renamed } : file,
      );
      return set('infer', 'config-file-path', renamed)({ ...base, files });
    },
    says: ['would be read as YAML by its name'],
    node: 'infer',
  },
  {
    name: 'a file of the tracker for the detector',
    change: set('infer', 'config-file-path', tracker),
    says: ['names a file for something else (tracker)'],
    node: 'infer',
  },
];
