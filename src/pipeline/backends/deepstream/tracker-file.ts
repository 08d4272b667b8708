import type { TrackSpec } from '../../spec.ts';

/** What the configuration of a tracker depends on beside the spec. */
export interface TrackerFileOptions {
  /** Of the re-identification network. */
  readonly precision: 'fp32' | 'fp16';
  /** ONNX file of the re-identification network, absolute. */
  readonly reidModel: string;
  /** Where its TensorRT engine is kept, absolute; built when it is not there. */
  readonly reidEngine: string;
}

/** Trackers that nvtracker's library runs. */
export type NvTracker = 'iou' | 'nvsort' | 'nvdcf' | 'nvdeepsort';
type Tracking = Exclude<TrackSpec, { type: 'none' }>;
type Section = Readonly<Record<string, number | string | readonly number[]>>;
type Sections = Readonly<Record<string, Section>>;

/** The tracker that runs for a spec: there is no bytetrack in the library, and NvSORT is the nearest to it. */
export function nvTrackerOf(track: Tracking): NvTracker {
  return track.type === 'bytetrack' ? 'nvsort' : track.type;
}

/**
 * The configuration of libnvds_nvmultiobjecttracker as YAML. Truth values are 0 and 1. Values follow the published
 * algorithms; where the spec says nothing they are those of Sightline's own tracker.
 */
export function trackerFileText(track: Tracking, options: TrackerFileOptions): string {
  const lines = Object.entries(sectionsOf(track, options)).flatMap(([name, section]) => [
    `${name}:`,
    ...Object.entries(section).map(([key, value]) => `  ${key}: ${yamlValue(value)}`),
    '',
  ]);
  return ["# Made by Sightline from the pipeline's track section.", ...lines].join('\n');
}

function yamlValue(value: number | string | readonly number[]): string {
  // A JSON text is YAML, whatever the path holds.
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

function sectionsOf(track: Tracking, options: TrackerFileOptions): Sections {
  switch (track.type) {
    case 'bytetrack':
      return sort(track, {
        low: track.lowThreshold ?? 0.1,
        high: track.highThreshold ?? 0.4,
        // A distance becomes a score.
        overlap: 1 - (track.matchThreshold ?? 0.8),
      });
    case 'nvsort':
      return sort(track, { low: 0.1, high: 0.4, overlap: 0.2 });
    case 'iou':
      return overlapOnly(track);
    case 'nvdcf':
      return correlation(track);
    case 'nvdeepsort':
      return deepSort(track, options);
  }
}

/** Limits that every tracker has. */
function management({ maxLostFrames = 30, minHits = 2, emitLost = false }: Tracking): Section {
  return {
    maxTargetsPerStream: 150,
    preserveStreamUpdateOrder: 0,
    // A track comes out on the frame that confirms it, so one less than its detections are held back.
    probationAge: minHits - 1,
    // "In a row": one miss while it is tentative ends a track.
    earlyTerminationAge: 1,
    maxShadowTrackingAge: maxLostFrames,
    outputShadowTracks: Number(emitLost),
    outputTerminatedTracks: 0,
  };
}

/** Ids count from 1 in each session, as on the CPU; lost tracks are not joined to new ones. */
const TRAJECTORY: Section = { useUniqueID: 0, enableReAssoc: 0 };

/** Kalman filter of SORT's descendants: noise in shares of a box's height, as DeepSORT published them. */
const HEIGHT_NOISE: Section = {
  stateEstimatorType: 2,
  noiseWeightVar4Loc: 0.05,
  noiseWeightVar4Vel: 0.00625,
  useAspectRatio: 1,
};

/** Two rounds of overlap between predicted and found boxes, the sure detections first (ByteTrack's idea). */
function sort(
  track: Tracking,
  scores: { readonly low: number; readonly high: number; readonly overlap: number },
): Sections {
  return {
    BaseConfig: { minDetectorConfidence: scores.low },
    TargetManagement: { ...management(track), minIouDiff4NewTarget: 0.5 },
    TrajectoryManagement: TRAJECTORY,
    DataAssociator: {
      dataAssociatorType: 0,
      associationMatcherType: 1,
      checkClassMatch: classMatch(track),
      usePrediction4Assoc: 1,
      matchingScoreWeight4Iou: 1,
      minMatchingScore4Iou: rounded(scores.overlap),
      tentativeDetectorConfidence: scores.high,
      minMatchingScore4TentativeIou: 0.5,
    },
    StateEstimator: HEIGHT_NOISE,
  };
}

/** Overlap with the last box, no motion model. */
function overlapOnly(track: Tracking): Sections {
  return {
    BaseConfig: { minDetectorConfidence: 0.1 },
    TargetManagement: management(track),
    TrajectoryManagement: TRAJECTORY,
    DataAssociator: {
      dataAssociatorType: 0,
      associationMatcherType: 0,
      checkClassMatch: classMatch(track),
      matchingScoreWeight4Iou: 1,
      minMatchingScore4Iou: 0.2,
    },
    StateEstimator: { stateEstimatorType: 0 },
  };
}

/** What each profile of NvDCF spends: size of the feature image (1 is 12 px, 5 is 36 px) and kinds of features. */
const PROFILES = {
  'max-perf': { featureImgSizeLevel: 1, useColorNames: 1, useHog: 0, useHighPrecisionFeature: 0 },
  perf: { featureImgSizeLevel: 2, useColorNames: 1, useHog: 0, useHighPrecisionFeature: 0 },
  accuracy: { featureImgSizeLevel: 3, useColorNames: 1, useHog: 1, useHighPrecisionFeature: 1 },
} as const;

/** A correlation filter looks for each object where it is expected, also where the detector is silent. */
function correlation(track: Extract<Tracking, { type: 'nvdcf' }>): Sections {
  const { profile = 'perf' } = track;
  const precise = profile === 'accuracy';
  return {
    BaseConfig: { minDetectorConfidence: 0.1 },
    TargetManagement: {
      ...management(track),
      enableBboxUnClipping: 1,
      minIouDiff4NewTarget: 0.5,
      minTrackerConfidence: 0.2,
      searchRegionPaddingScale: precise ? 2 : 1,
    },
    TrajectoryManagement: precise ? { ...TRAJECTORY, ...REJOIN } : TRAJECTORY,
    DataAssociator: {
      dataAssociatorType: 0,
      associationMatcherType: Number(precise),
      checkClassMatch: classMatch(track),
      matchingScoreWeight4Iou: 0.5,
      matchingScoreWeight4SizeSimilarity: 0.25,
      matchingScoreWeight4VisualSimilarity: 0.25,
      minMatchingScore4Overall: 0.2,
      minMatchingScore4Iou: 0.1,
      minMatchingScore4SizeSimilarity: 0.3,
      minMatchingScore4VisualSimilarity: 0.5,
      ...(precise ? { tentativeDetectorConfidence: 0.4, minMatchingScore4TentativeIou: 0.5 } : {}),
    },
    StateEstimator: {
      stateEstimatorType: 1,
      processNoiseVar4Loc: 2,
      processNoiseVar4Size: 1,
      processNoiseVar4Vel: 0.1,
      measurementNoiseVar4Detector: 4,
      measurementNoiseVar4Tracker: 16,
    },
    VisualTracker: {
      // The older of the two: it needs no VPI on the machine.
      visualTrackerType: 1,
      ...PROFILES[profile],
      featureFocusOffsetFactor_y: 0,
      filterLr: 0.1,
      filterChannelWeightsLr: 0.2,
      gaussianSigma: 0.75,
    },
  };
}

/** Joins a new track to a lost one by where that would have gone. */
const REJOIN: Section = {
  enableReAssoc: 1,
  minTrajectoryLength4Projection: 20,
  prepLength4TrajectoryProjection: 10,
  trajectoryProjectionLength: 60,
  minTrackletMatchingScore: 0.5,
  maxAngle4TrackletMatching: 40,
  maxTrackletMatchingTimeSearchRange: 20,
};

/** SORT with a network that compares how objects look. */
function deepSort(track: Tracking, options: TrackerFileOptions): Sections {
  return {
    BaseConfig: { minDetectorConfidence: 0.1 },
    TargetManagement: { ...management(track), minIouDiff4NewTarget: 0.5 },
    TrajectoryManagement: TRAJECTORY,
    DataAssociator: {
      dataAssociatorType: 0,
      associationMatcherType: 1,
      checkClassMatch: classMatch(track),
      // The 95 % quantile of the chi-squared distribution with four degrees of freedom, as DeepSORT gates.
      thresholdMahalanobis: 9.4877,
      matchingScoreWeight4Iou: 0.3,
      matchingScoreWeight4ReidSimilarity: 0.7,
      minMatchingScore4Iou: 0,
      minMatchingScore4ReidSimilarity: 0.5,
      tentativeDetectorConfidence: 0.4,
      minMatchingScore4TentativeIou: 0.5,
    },
    StateEstimator: HEIGHT_NOISE,
    ReID: {
      reidType: 1,
      batchSize: 100,
      workspaceSize: 1000,
      // Sizes and scaling of NVIDIA's sample network; another one must have the same.
      reidFeatureSize: 256,
      reidHistorySize: 100,
      inferDims: [3, 256, 128],
      inputOrder: 0,
      colorFormat: 0,
      offsets: [109.125, 102.6, 91.35],
      netScaleFactor: 0.01735207,
      keepAspc: 1,
      addFeatureNormalization: 1,
      // Here 1 is FP16; in nvinfer's files it is INT8.
      networkMode: options.precision === 'fp32' ? 0 : 1,
      onnxFile: options.reidModel,
      modelEngineFile: options.reidEngine,
    },
  };
}

function classMatch({ classAware = true }: Tracking): number {
  return Number(classAware);
}

/** Without the dust of binary fractions. */
function rounded(value: number): number {
  return Number(value.toFixed(6));
}
