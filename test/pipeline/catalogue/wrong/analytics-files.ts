import type { WrongCase } from '../corpus.ts';
import { PATHS } from '../full.ts';
import { all, edit, setMany } from '../mutate.ts';

const { analytics } = PATHS;

/** Files of nvdsanalytics. */
export const WRONG_ANALYTICS_FILES: readonly WrongCase[] = [
  {
    name: 'analytics: no width',
    change: edit(analytics, 'config-width=10000\n', ''),
    says: ['[property] "config-width": is missing'],
    node: 'analytics',
    pointer: '/analytics',
    key: 'config-width',
  },
  {
    name: 'analytics: a height of nothing',
    change: edit(analytics, 'config-height=10000', 'config-height=0'),
    says: ['takes a whole number from 1 to'],
    key: 'config-height',
  },
  {
    name: 'analytics: a zone of two points',
    change: edit(analytics, /roi-dock=.*/, 'roi-dock=0;0;100;100'),
    says: ['takes at least 3 points, and has 2'],
    key: 'roi-dock',
  },
  {
    name: 'analytics: half a point',
    change: edit(analytics, /roi-dock=.*/, 'roi-dock=0;0;100;100;50'),
    says: ['takes pairs x;y, and has 5 numbers'],
    key: 'roi-dock',
  },
  {
    name: 'analytics: points as fractions',
    change: edit(analytics, /roi-dock=.*/, 'roi-dock=0.1;0.1;0.9;0.1;0.9;0.9'),
    says: ['each item a whole number'],
    key: 'roi-dock',
  },
  {
    name: 'analytics: a point outside',
    change: edit(analytics, /roi-dock=.*/, 'roi-dock=0;0;19000;0;100;9000'),
    says: ['19000;0 far outside of its space of 10000 x 10000'],
    key: 'roi-dock',
  },
  {
    name: 'analytics: a zone that is a line',
    change: edit(analytics, /roi-dock=.*/, 'roi-dock=0;0;100;100;200;200'),
    says: ['has no area'],
    key: 'roi-dock',
  },
  {
    name: 'analytics: a line of two points',
    change: edit(analytics, /line-crossing-in=.*/, 'line-crossing-in=1000;5000;9000;5000'),
    says: ['takes 4 points, and has 2'],
    key: 'line-crossing-in',
  },
  {
    name: 'analytics: a line that is a point',
    change: edit(analytics, /line-crossing-in=.*/, 'line-crossing-in=0;0;0;9;5;5;5;5'),
    says: ['starts and ends at 5;5'],
    key: 'line-crossing-in',
  },
  {
    name: 'analytics: a mode that does not exist',
    change: edit(analytics, 'mode=balanced', 'mode=exact'),
    says: ['takes one of loose, balanced, strict'],
    key: 'mode',
  },
  {
    name: 'analytics: a stream that is not there',
    change: edit(analytics, '[overcrowding-stream-1]', '[overcrowding-stream-2]'),
    says: ['is about stream 2, but the streams here are 0, 1'],
    node: 'analytics',
  },
  {
    name: 'analytics: a group without its stream',
    change: edit(analytics, '[roi-filtering-stream-0]', '[roi-filtering-0]'),
    says: ['there is no group [roi-filtering-0]', 'roi-filtering-stream-<n>'],
    node: 'analytics',
  },
  {
    name: 'analytics: a shape of another group',
    change: edit(analytics, 'roi-gate=', 'zone-gate='),
    says: ['there is no key "zone-gate"'],
    key: 'zone-gate',
  },
  {
    name: 'analytics: one label for two zones',
    change: edit(analytics, 'inverse-roi=0', 'roi-dock=0;0;100;0;100;100'),
    says: ['stands here twice'],
    key: 'roi-dock',
  },
  {
    name: 'one zone on a stream the batch has lost',
    change: all(setMany('mux', { 'batch-size': 2 }), edit(analytics, 'stream-1]', 'stream-7]')),
    says: ['is about stream 7'],
    node: 'analytics',
  },
];
