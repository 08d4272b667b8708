import { type Static, Type } from 'typebox';
import { defaulted, oneOf, strictObject } from '../common/schema.ts';

/** How ONNX Runtime uses a GPU, where DeepStream does not run the pipeline and `accelerator` lets it. */
export const OnnxRuntimeSpec = strictObject(
  {
    provider: defaulted(
      oneOf(['cuda', 'tensorrt'], {
        description:
          'tensorrt builds engines at its first start, which takes minutes; without its libraries: cuda',
      }),
      'cuda',
    ),
    gpuId: defaulted(Type.Integer({ minimum: 0, maximum: 63, description: 'CUDA device' }), 0),
  },
  { description: 'How ONNX Runtime uses a GPU; no effect on the CPU and with DeepStream' },
);
export type OnnxRuntimeSpec = Static<typeof OnnxRuntimeSpec>;
