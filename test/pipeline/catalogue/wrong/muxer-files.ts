import type { WrongCase } from '../corpus.ts';
import { fullNew, PATHS } from '../full.ts';
import { edit } from '../mutate.ts';

const { muxer } = PATHS;

/** Files of the new muxer. */
export const WRONG_MUXER_FILES: readonly WrongCase[] = [
  {
    name: 'muxer: a batch smaller than its streams',
    base: fullNew,
    change: edit(muxer, 'batch-size=2', 'batch-size=1'),
    says: ['is 1, but 2 streams are linked'],
    node: 'mux',
    key: 'batch-size',
    several: true,
  },
  {
    name: 'muxer: another batch than the element',
    base: fullNew,
    change: edit(muxer, 'batch-size=2', 'batch-size=8'),
    says: ['is 8, but the element\'s "batch-size" is 2'],
    key: 'batch-size',
  },
  {
    name: 'muxer: rates the wrong way round',
    base: fullNew,
    change: edit(muxer, 'overall-min-fps-n=25', 'overall-min-fps-n=90'),
    says: ['is 90 frames a second, more than the greatest, 60'],
    key: 'overall-min-fps-n',
  },
  {
    name: 'muxer: a source that is not there',
    base: fullNew,
    change: edit(muxer, '[source-config-0]', '[source-config-4]'),
    says: ['is about source 4'],
    node: 'mux',
  },
  {
    name: 'muxer: a key of the old muxer',
    base: fullNew,
    change: edit(muxer, 'algorithm-type=1', 'algorithm-type=1\nwidth=1920'),
    says: ['there is no key "width"'],
    key: 'width',
  },
];
