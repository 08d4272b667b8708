import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamAccelerator } from '../../src/control/stream-accelerator.ts';

const PLANNED = {
  policy: 'prefer-gpu',
  backend: 'cpu',
  executionProvider: 'CUDAExecutionProvider',
} as const;

test('a worker that falls back makes the stream degraded, with its reason, until the GPU runs it', () => {
  const accelerator = new StreamAccelerator(PLANNED);
  assert.deepEqual(accelerator.status(), { ...PLANNED, degraded: false });
  assert.equal(accelerator.fellBack('libcudnn.so.9 is not there'), true);
  assert.equal(accelerator.fellBack('libcudnn.so.9 is not there'), false, 'the next session');
  assert.equal(accelerator.saw('CPUExecutionProvider'), true);
  assert.deepEqual(accelerator.facts(), {
    ...PLANNED,
    executionProvider: 'CPUExecutionProvider',
    fallbackReason: 'libcudnn.so.9 is not there',
    code: 'SL_GPU_UNAVAILABLE',
  });
  assert.equal(accelerator.saw('CUDAExecutionProvider'), true);
  assert.deepEqual(accelerator.status(), { ...PLANNED, degraded: false });
});

test('CUDA in place of TensorRT is no CPU: the reason is told, and the stream is not degraded', () => {
  const planned = { ...PLANNED, executionProvider: 'TensorrtExecutionProvider' };
  const accelerator = new StreamAccelerator(planned);
  accelerator.fellBack('libnvinfer.so.10 is not there');
  accelerator.saw('CUDAExecutionProvider');
  const { degraded, fallbackReason } = accelerator.status();
  assert.deepEqual([degraded, fallbackReason], [false, 'libnvinfer.so.10 is not there']);
});
