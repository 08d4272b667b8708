import { checkValue, type ValueProblem } from '../common/check.ts';
import { ImagesSpec } from './images-spec.ts';
import type { ResolvedImages } from './resolved.ts';

const DEFAULT_EVERY_MS = 1000;

/** Completes what a spec says of pictures. `infer`: a detector looks at the frames. */
export function resolveImages(
  images: ImagesSpec,
  infer: boolean,
  problems: ValueProblem[],
): ResolvedImages {
  const { everyMs, fps, quality, maxWidth, models } = images;
  const { when = infer ? 'objects' : 'always' } = images;
  const problem = (key: string, message: string) =>
    problems.push({ pointer: `/images/${key}`, message });
  if (everyMs !== undefined && fps !== undefined) {
    problem('fps', 'says the same as "everyMs": leave one of them out');
  }
  if (when === 'objects' && !infer) {
    problem('when', 'must not be "objects" without "infer": nothing finds any');
  }
  if (when === 'key-frames' && infer) {
    problem('when', 'must not be "key-frames" with "infer": the detector needs the others too');
  }
  if (images.motion !== undefined && when !== 'motion') {
    problem('motion', 'is for "when": "motion" alone');
  }
  const motion = images.motion ?? checkValue({ motion: {} }, ImagesSpec).motion!;
  return {
    everyMs: everyMs ?? (fps === undefined ? DEFAULT_EVERY_MS : Math.floor(1000 / fps)),
    when,
    motion,
    quality,
    ...(maxWidth === undefined ? {} : { maxWidth }),
    ...(models === undefined ? {} : { models: [...models] }),
  };
}
