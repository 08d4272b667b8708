import { join, resolve } from 'node:path';
import type { GraphNode } from '../../graph.ts';
import type { TrackSpec } from '../../spec.ts';
import type { LoweringContext } from './context.ts';
import { type NvTracker, nvTrackerOf, trackerFileText } from './tracker-file.ts';

const LIBRARY = 'libnvds_nvmultiobjecttracker.so';
/** Beside the libraries in NVIDIA's layout. */
const SAMPLE_REID = '../samples/models/Tracker/resnet50_market1501_aicity156.onnx';
/** Size the tracker works at, in pixels. Only NvDCF and NvDeepSORT look at pixels at all. */
const SIZE = { width: 640, height: 384 };
const ACCURATE_SIZE = { width: 960, height: 544 };
const SIZE_STEP = 32;
/** Batches whose track records may be under way, at least (the element's default). */
const MIN_META_POOL = 32;

/** What ran, for the message; empty without a tracker. */
export function trackerName(track: TrackSpec): NvTracker | '' {
  return track.type === 'none' ? '' : nvTrackerOf(track);
}

/** nvtracker with its configuration; nothing where the spec switches tracking off. */
export function lowerTracker(context: LoweringContext, streams: number): GraphNode[] {
  const { track } = context.pipeline;
  if (track.type === 'none') return [];
  noteDifferences(context, track);
  const { width, height } = trackerSizeOf(context, track);
  const properties = {
    'll-lib-file': join(context.options.libraryDir, LIBRARY),
    'll-config-file': trackerFile(context, track),
    'tracker-width': width,
    'tracker-height': height,
    // After a reconnect nobody is the one who was there before. Ids never start over: they are unique in a session.
    'tracking-id-reset-mode': 1,
    // The ids stand in our messages; what is drawn is the annotated video's matter.
    'display-tracking-id': context.pipeline.annotated !== undefined,
    'user-meta-pool-size': Math.max(MIN_META_POOL, 4 * streams),
  };
  return [context.part('track', 'track', 'track', properties, { origin: '/track' })];
}

function trackerFile(
  context: LoweringContext,
  track: Exclude<TrackSpec, { type: 'none' }>,
): string {
  const { spec, options } = context;
  const { filesDir, libraryDir, workingDir, deepstream } = options;
  const precision = spec.precision === 'fp32' ? 'fp32' : 'fp16';
  const own = track.type === 'nvdeepsort' ? track.reidModel : undefined;
  const text = trackerFileText(track, {
    precision,
    reidModel: own === undefined ? join(libraryDir, SAMPLE_REID) : resolve(workingDir, own),
    reidEngine: join(filesDir, `reid-ds${deepstream}-gpu${spec.gpuId}-${precision}.engine`),
  });
  const file = { kind: 'tracker', text, origin: '/track' } as const;
  return context.file(`tracker-${nvTrackerOf(track)}`, '.yml', file);
}

/** Size in pixels at which nvtracker works. */
export function trackerSizeOf(
  context: LoweringContext,
  track: TrackSpec,
): { width: number; height: number } {
  const accurate = track.type === 'nvdcf' && track.profile === 'accuracy';
  const size = { ...(accurate ? ACCURATE_SIZE : SIZE), ...context.spec.tracker };
  for (const side of ['width', 'height'] as const) {
    if (size[side] % SIZE_STEP === 0) continue;
    const message = `must be a multiple of ${SIZE_STEP}, not ${size[side]}`;
    context.problem(`/deepstream/tracker/${side}`, message);
  }
  return size;
}

function noteDifferences(
  context: LoweringContext,
  track: Exclude<TrackSpec, { type: 'none' }>,
): void {
  if (track.type === 'bytetrack') {
    context.note('/track/type', '"bytetrack" runs as NvSORT on DeepStream, with the same limits');
    if (track.newTrackThreshold !== undefined) {
      const message =
        'has no counterpart in NvSORT: a detection above highThreshold starts a track';
      context.note('/track/newTrackThreshold', message);
    }
  }
  if (track.emitLost === true) {
    const message =
      'on DeepStream missed tracks come as records of the message (track_records), not as objects';
    context.note('/track/emitLost', message);
  }
  if (track.type === 'nvdeepsort' && context.spec.precision === 'int8') {
    const message = 'the re-identification network runs with fp16: int8 needs a calibration table';
    context.note('/deepstream/precision', message);
  }
}
