import type { OnnxRuntimeSpec } from './onnxruntime-spec.ts';
import type { ResolvedPipeline, ResolveOptions } from './resolve.ts';
import { resolve } from './resolve.ts';
import type { Accelerator } from './resolved.ts';
import type { InferSpec, SecondarySpec, TrackSpec } from './spec.ts';

/** A pipeline whose pictures come from a queue instead of cameras. */
export interface FramesSpec {
  readonly id: string;
  readonly streams: readonly { readonly id: string }[];
  /** Unix socket of whoever sends the frames of all streams. */
  readonly socketPath: string;
  readonly accelerator?: Accelerator;
  readonly infer: InferSpec;
  readonly secondary?: readonly SecondarySpec[];
  readonly track?: TrackSpec;
  readonly onnxRuntime?: OnnxRuntimeSpec;
}

/**
 * Everything but the sources is as in any pipeline. It runs where ONNX Runtime does: DeepStream has no such source.
 * @throws SightlineError as resolve()
 */
export function resolveFrames(spec: FramesSpec, options: ResolveOptions): ResolvedPipeline {
  const { id, streams, socketPath, accelerator, infer, secondary, track, onnxRuntime } = spec;
  const resolved = resolve(
    {
      id,
      ...(accelerator === undefined ? {} : { accelerator }),
      ...(onnxRuntime === undefined ? {} : { onnxRuntime }),
      infer,
      ...(secondary === undefined ? {} : { secondary: [...secondary] }),
      ...(track === undefined ? {} : { track }),
      // Stands in until the next line: a spec has no such source, so that nobody can ask for a socket.
      streams: streams.map((stream) => ({
        id: stream.id,
        source: { type: 'file', path: socketPath, pace: 'none' },
      })),
    },
    options,
  );
  return {
    ...resolved,
    streams: resolved.streams.map((stream) => ({
      ...stream,
      source: { type: 'frames', socketPath },
    })),
  };
}
