import type { WrongCase } from '../corpus.ts';
import { PATHS } from '../full.ts';
import { edit } from '../mutate.ts';

const { tracker } = PATHS;

/** Files of the low-level tracker. */
export const WRONG_TRACKER_FILES: readonly WrongCase[] = [
  {
    name: 'tracker: a misspelled key',
    change: edit(tracker, 'maxShadowTrackingAge', 'maxShadowTrackinAge'),
    says: ['[TargetManagement]', 'did you mean "maxShadowTrackingAge"?'],
    node: 'track',
    pointer: '/track',
    key: 'maxShadowTrackinAge',
    line: 7,
  },
  {
    name: 'tracker: a misspelled section',
    change: edit(tracker, 'DataAssociator:', 'DataAsociator:'),
    says: ['there is no section "DataAsociator"', '"DataAssociator"'],
    node: 'track',
  },
  {
    name: 'tracker: text for a number',
    change: edit(tracker, 'probationAge: 3', 'probationAge: three'),
    says: ['takes a whole number; it is "three"'],
    key: 'probationAge',
  },
  {
    name: 'tracker: half a frame',
    change: edit(tracker, 'probationAge: 3', 'probationAge: 2.5'),
    says: ['takes a whole number'],
    key: 'probationAge',
  },
  {
    name: 'tracker: a size level that does not exist',
    change: edit(tracker, 'featureImgSizeLevel: 2', 'featureImgSizeLevel: 6'),
    says: ['takes at most 5'],
    key: 'featureImgSizeLevel',
  },
  {
    name: 'tracker: an estimator that does not exist',
    change: edit(tracker, 'stateEstimatorType: 1', 'stateEstimatorType: 9'),
    says: ['takes one of 0, 1, 2, 3'],
    key: 'stateEstimatorType',
  },
  {
    name: 'tracker: 2 for a boolean',
    change: edit(tracker, 'useColorNames: 1', 'useColorNames: 2'),
    says: ['takes 0 or 1'],
    key: 'useColorNames',
  },
  {
    name: 'tracker: two dimensions',
    change: edit(tracker, '[3, 256, 128]', '[256, 128]'),
    says: ['takes 3 numbers, and has 2'],
    key: 'inferDims',
  },
  {
    name: 'tracker: re-identification without a model',
    change: edit(tracker, 'reidType: 0', 'reidType: 2'),
    says: ['needs a model'],
    key: 'reidType',
  },
  {
    name: 'tracker: a unit of Jetson on a card',
    change: edit(tracker, 'vpiBackend4DcfTracker: 1', 'vpiBackend4DcfTracker: 2'),
    says: ['2 (PVA) is a unit of Jetson'],
    key: 'vpiBackend4DcfTracker',
  },
  {
    name: 'tracker: places in the world without cameras',
    change: edit(tracker, 'stateEstimatorType: 1', 'stateEstimatorType: 3'),
    says: ['needs ObjectModelProjection'],
    key: 'stateEstimatorType',
  },
  {
    name: 'tracker: no YAML',
    change: edit(tracker, 'TargetManagement:', 'TargetManagement: ['),
    says: ['is not YAML'],
    node: 'track',
    several: true,
  },
  {
    name: 'tracker: no base',
    change: edit(tracker, /BaseConfig:\n.*\n/, ''),
    says: ['section BaseConfig is missing'],
    node: 'track',
  },
];
