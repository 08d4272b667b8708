import type { WrongCase } from '../corpus.ts';
import { fullTriton, PATHS } from '../full.ts';
import { edit } from '../mutate.ts';

const { triton } = PATHS;

/** Files of nvinferserver. */
export const WRONG_TRITON_FILES: readonly WrongCase[] = [
  {
    name: 'Triton: a misspelled field',
    base: fullTriton,
    change: edit(triton, 'max_batch_size', 'max_batchsize'),
    says: ['InferenceConfig has no field "max_batchsize"', '"max_batch_size"'],
    node: 'infer',
    pointer: '/infer',
    key: 'infer_config.max_batchsize',
    line: 5,
  },
  {
    name: 'Triton: a field of another message',
    base: fullTriton,
    change: edit(triton, 'strict_model_config: true', 'model_name: "x"'),
    says: ['TritonModelRepo has no field "model_name"'],
    key: 'infer_config.backend.triton.model_repo.model_name',
  },
  {
    name: 'Triton: a value of no enum',
    base: fullTriton,
    change: edit(triton, 'IMAGE_FORMAT_RGB', 'IMAGE_FORMAT_RBG'),
    says: ['takes one of', 'did you mean "IMAGE_FORMAT_RGB"'],
    key: 'infer_config.preprocess.network_format',
  },
  {
    name: 'Triton: text for a number',
    base: fullTriton,
    change: edit(triton, 'unique_id: 1', 'unique_id: "1"'),
    says: ['takes a uint32, not text in quotes'],
    key: 'infer_config.unique_id',
  },
  {
    name: 'Triton: a name without quotes',
    base: fullTriton,
    change: edit(triton, 'model_name: "yolox"', 'model_name: yolox'),
    says: ['takes text in quotes'],
    key: 'infer_config.backend.triton.model_name',
  },
  {
    name: 'Triton: a negative unsigned number',
    base: fullTriton,
    change: edit(triton, 'max_batch_size: 2', 'max_batch_size: -2'),
    says: ['takes a whole number (uint32), not "-2"'],
    key: 'infer_config.max_batch_size',
  },
  {
    name: 'Triton: a repository and a server',
    base: fullTriton,
    change: edit(triton, 'version: -1', 'version: -1 grpc { url: "triton:8001" }'),
    says: ['and "grpc" exclude each other'],
    key: 'infer_config.backend.triton.model_repo',
  },
  {
    name: 'Triton: a field twice',
    base: fullTriton,
    change: edit(triton, 'version: -1', 'version: -1 version: 2'),
    says: ['stands here twice'],
    key: 'infer_config.backend.triton.version',
  },
  {
    name: 'Triton: a brace that is not closed',
    base: fullTriton,
    change: edit(triton, 'input_control {', 'input_control { {'),
    says: ['cannot be read'],
    node: 'infer',
  },
  {
    name: 'Triton: no model',
    base: fullTriton,
    change: edit(triton, /model_name.*\n/, '\n'),
    says: ['is missing'],
    key: 'infer_config.backend.triton.model_name',
  },
  {
    name: 'Triton: nowhere to find the model',
    base: fullTriton,
    change: edit(triton, /model_repo \{[^}]*\}/, ''),
    says: ['needs "model_repo" (in this process) or "grpc" (a server)'],
    key: 'infer_config.backend.triton',
  },
  {
    name: 'Triton: a detector without classes',
    base: fullTriton,
    change: edit(triton, /num_detected_classes: 3\n/, '\n'),
    says: ['is missing'],
    key: 'infer_config.postprocess.detection.num_detected_classes',
  },
];
