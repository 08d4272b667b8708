import type { WrongCase } from '../corpus.ts';
import { replace, set } from '../mutate.ts';

/** Elements and properties that do not exist. */
export const WRONG_NAMES: readonly WrongCase[] = [
  {
    name: 'a misspelled property of the muxer',
    change: set('mux', 'batch-sise', 2),
    says: ['nvstreammux (node "mux")', '"batch-sise" does not exist', 'did you mean "batch-size"?'],
    node: 'mux',
    property: 'batch-sise',
    pointer: '/deepstream/muxer',
  },
  {
    name: 'an underscore for a dash',
    change: set('infer', 'unique_id', 1),
    says: ['"unique_id" does not exist', '"unique-id"'],
    node: 'infer',
  },
  {
    name: 'a property of another element',
    change: set('track', 'config-file-path', '/etc/trk.yml'),
    says: ['nvtracker', '"config-file-path" does not exist'],
    node: 'track',
  },
  {
    name: 'a wrong property of a stock element',
    change: set('mux-queue', 'max-size-buffer', 4),
    says: ['queue (node "mux-queue")', 'did you mean "max-size-buffers"'],
    node: 'mux-queue',
  },
  {
    name: 'a wrong property of an element of ours',
    change: set('decoded-0', 'stages', 'decode'),
    says: ['slstamp', '"stages" does not exist'],
    node: 'decoded-0',
  },
  {
    name: 'a misspelled element',
    change: replace('infer', 'nvinfr'),
    says: ['there is no element "nvinfr"', '"nvinfer"'],
    node: 'infer',
    several: true,
  },
  {
    name: 'an element that does not exist',
    change: replace('mux-queue', 'ringbuffer', {}),
    says: ['there is no element "ringbuffer"'],
    node: 'mux-queue',
  },
  {
    name: 'the variant of an element as its name',
    change: replace('mux', 'nvstreammux-new'),
    says: ['there is no element "nvstreammux-new"'],
    node: 'mux',
    several: true,
  },
  {
    name: 'the name, which is the id',
    change: set('infer', 'name', 'detector'),
    says: ['"name" is not for a graph to set'],
    property: 'name',
  },
];
