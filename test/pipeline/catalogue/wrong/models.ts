import { node } from '../build.ts';
import type { WrongCase } from '../corpus.ts';
import { all, bypass, inGraph, insert, link, set, unlink } from '../mutate.ts';

/** Models, trackers and analytics without what they work on. */
export const WRONG_MODELS: readonly WrongCase[] = [
  {
    name: 'two models of one number',
    change: set('classify-colour', 'unique-id', 1),
    says: ['"unique-id" 1 is that of'],
    property: 'unique-id',
    several: true,
  },
  {
    name: 'a second model on one that does not exist',
    change: set('classify-colour', 'infer-on-gie-id', 7),
    says: ['"infer-on-gie-id" is 7', 'it would never run'],
    node: 'classify-colour',
    pointer: '/secondary/0',
  },
  {
    name: 'a second model without a first',
    change: all(
      unlink('mux-queue', 'infer'),
      unlink('infer', 'infer-queue'),
      inGraph((graph) => ({ ...graph, nodes: graph.nodes.filter(({ id }) => id !== 'infer') })),
      link('mux-queue', 'infer-queue'),
    ),
    says: ['works on the objects of another model'],
    node: 'classify-colour',
    several: true,
  },
  {
    name: 'the separator of one list in another',
    change: set('classify-colour', 'infer-on-class-ids', '0;2'),
    says: ['"infer-on-class-ids" is "0;2"', '"0:2"'],
    node: 'classify-colour',
  },
  {
    name: 'and the other way round',
    change: set('infer', 'filter-out-class-ids', '0:2'),
    says: ['"filter-out-class-ids" is "0:2"', '"0;2"'],
    node: 'infer',
  },
  {
    name: 'classes of the tracker with colons',
    change: set('track', 'operate-on-class-ids', '0:2'),
    says: ['"operate-on-class-ids" is "0:2"'],
    node: 'track',
  },
  {
    name: 'sub-batches that are neither sources nor sizes',
    change: set('track', 'sub-batches', '0-1;2-3'),
    says: ['"sub-batches"', '"4:4"'],
    node: 'track',
  },
  {
    name: 'tensors nobody makes',
    change: set('infer', 'input-tensor-meta', true),
    says: ['no nvdspreprocess stands before it'],
    node: 'infer',
  },
  {
    name: 'tensors nobody takes',
    change: insert(
      'mux-queue',
      node('pre', 'nvdspreprocess', { 'config-file': '/etc/pre.txt' }),
      'infer',
    ),
    says: ['"input-tensor-meta" must be true behind nvdspreprocess "pre"'],
    node: 'infer',
  },
  {
    name: 'a parser of tensors that are not put out',
    change: insert(
      'infer-queue',
      node('post', 'nvdspostprocess', {
        'postprocesslib-name': '/opt/libpostprocess_impl.so',
        'postprocesslib-config-file': '/etc/post.yml',
      }),
      'track',
    ),
    says: ['"output-tensor-meta" must be true'],
    node: 'infer',
    several: true,
  },
  {
    name: 'a tracker without a detector',
    change: all(bypass('infer'), bypass('classify-colour')),
    says: ['has nothing to track'],
    node: 'track',
    several: true,
  },
  {
    name: 'lines without a tracker',
    change: all(bypass('track'), set('classify-colour', 'config-file-path', '/etc/other.txt')),
    says: ['[line-crossing-stream-0] of its file needs the ids of nvtracker'],
    node: 'analytics',
    several: true,
  },
  {
    name: 'a lazy classifier without a tracker',
    change: all(bypass('track'), bypass('analytics')),
    says: ['"classifier-async-mode" of its file needs the ids of nvtracker'],
    node: 'classify-colour',
    several: true,
  },
];
