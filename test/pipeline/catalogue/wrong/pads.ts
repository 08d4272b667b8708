import { node } from '../build.ts';
import type { WrongCase } from '../corpus.ts';
import { add, all, inGraph, link, relink, set, unlink } from '../mutate.ts';

const NVMM = 'video/x-raw(memory:NVMM)';

/** Pads that are not there or are taken. */
export const WRONG_PADS: readonly WrongCase[] = [
  {
    name: 'a pad that does not exist',
    change: relink('decoded-0', 'mux.sink_0', { to: 'mux.input_0' }),
    says: ['there is no pad "input_0"', '"sink_%u"'],
    node: 'mux',
    several: true,
  },
  {
    name: 'a request pad without a number',
    change: relink('decoded-0', 'mux.sink_0', { to: 'mux.sink_a' }),
    says: ['there is no pad "sink_a"'],
    node: 'mux',
    several: true,
  },
  {
    name: 'a link that ends in a source pad',
    change: relink('infer', 'infer-queue', { to: 'infer-queue.src' }),
    says: ['pad "src" is a src pad'],
    node: 'infer-queue',
    several: true,
  },
  {
    name: 'a link that starts at a sink pad',
    change: relink('meta', 'metadata', { from: 'meta.sink' }),
    says: ['pad "sink" is a sink pad'],
    node: 'meta',
    several: true,
  },
  {
    name: 'a link from an element that gives nothing',
    change: all(add(node('more', 'queue')), link('metadata', 'more')),
    says: ['it gives nothing to link from'],
    node: 'metadata',
    several: true,
  },
  {
    name: 'a link to a source',
    change: link('split', 'source-0'),
    says: ['it takes nothing'],
    node: 'source-0',
    several: true,
  },
  {
    name: 'a static link from pads that appear while running',
    change: inGraph((graph) => ({
      ...graph,
      choices: graph.choices.slice(1),
      links: [...graph.links, { from: 'source-0', to: 'decoded-0' }],
    })),
    says: ['"vsrc_%u" appear while it runs', 'needs a choice'],
    node: 'source-0',
    several: true,
  },
  {
    name: 'a static link from a named pad that appears',
    change: inGraph((graph) => ({
      ...graph,
      choices: graph.choices.slice(1),
      links: [...graph.links, { from: 'source-0.vsrc_0', to: 'decoded-0' }],
    })),
    says: ['needs a choice'],
    node: 'source-0',
    several: true,
  },
  {
    name: 'a choice behind pads that are always there',
    change: inGraph((graph) => ({
      ...graph,
      links: graph.links.filter(({ to }) => to !== 'meta'),
      choices: [
        ...graph.choices,
        { from: 'metadata-queue', to: 'meta', alternatives: [{ caps: NVMM, chain: [] }] },
      ],
    })),
    says: ['no pads that appear while it runs', 'use a link'],
    node: 'metadata-queue',
    several: true,
  },
  {
    name: 'two streams on one pad',
    change: relink('decoded-1', 'mux.sink_1', { to: 'mux.sink_0' }),
    says: ['pad "sink_0" has two links', 'decoded-0', 'decoded-1'],
    node: 'mux',
    several: true,
  },
  {
    name: 'two links to one pad',
    change: all(add(node('more', 'queue')), link('split', 'more'), link('more', 'metadata')),
    says: ['pad "sink" has two links'],
    node: 'metadata',
  },
  {
    name: 'two links from a pad that is no tee',
    change: all(
      add(node('more', 'fakesink', { sync: false, async: false })),
      link('analytics', 'more'),
    ),
    says: ['pad "src" has two links'],
    node: 'analytics',
  },
  {
    name: 'an element nothing reaches',
    change: unlink('mux', 'mux-queue'),
    says: ['pad "sink" is not linked: nothing reaches it'],
    node: 'mux-queue',
    several: true,
  },
  {
    name: 'an element whose data goes nowhere',
    change: unlink('meta', 'metadata'),
    says: ['pad "src" is not linked: its data has nowhere to go'],
    node: 'meta',
    several: true,
  },
  {
    name: 'a source without a choice',
    change: inGraph((graph) => ({ ...graph, choices: graph.choices.slice(0, 1) })),
    says: ['no pad "vsrc_%u" is linked'],
    node: 'source-1',
    several: true,
  },
  {
    name: 'a circle',
    change: all(
      add(node('back', 'queue')),
      relink('track', 'track-queue', { to: 'back' }),
      link('back', 'mux.sink_2'),
      set('mux', 'batch-size', 3),
      set('infer', 'batch-size', 3),
    ),
    says: ['its links run in a circle'],
    several: true,
  },
];
