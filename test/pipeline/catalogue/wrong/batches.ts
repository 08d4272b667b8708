import type { WrongCase } from '../corpus.ts';
import { full, fullNew } from '../full.ts';
import { all, environment, relink, set } from '../mutate.ts';

/** Sinks and muxers that stop what they should not. */
export const WRONG_BATCHES: readonly WrongCase[] = [
  {
    name: 'a metadata sink that waits for a first frame',
    change: set('metadata', 'async', true),
    says: ['"async" must be false in a live pipeline'],
    node: 'metadata',
    property: 'async',
  },
  {
    name: 'a sink that is async by default',
    change: set('udp', 'async', undefined),
    says: ['udpsink', '"async" must be false'],
    node: 'udp',
  },
  {
    name: 'a sink that follows the clock',
    change: set('udp', 'sync', true),
    says: ['"sync" must be false'],
    node: 'udp',
  },
  {
    name: 'a sink with quality of service',
    change: set('udp', 'qos', true),
    says: ['"qos" must be false'],
    node: 'udp',
  },
  {
    name: 'a sink behind a closed valve that waits, of a file',
    base: (platform) => full(platform, false),
    change: set('jpegs', 'async', true),
    says: ['behind the closed valve "jpeg-valve"'],
    node: 'jpegs',
  },
  {
    name: 'a muxer that ends with its last camera',
    change: set('mux', 'drop-pipeline-eos', undefined),
    says: ['"drop-pipeline-eos" must be true'],
    node: 'mux',
    pointer: '/deepstream/muxer',
  },
  {
    name: 'a muxer that is not told its sources are live',
    change: set('mux', 'live-source', false),
    says: ['"live-source" must be true'],
    node: 'mux',
  },
  {
    name: 'a muxer that waits for every camera',
    change: set('mux', 'batched-push-timeout', -1),
    says: ['one camera that is away would stop all others'],
    node: 'mux',
  },
  {
    name: 'the same by default',
    change: set('mux', 'batched-push-timeout', undefined),
    says: ['"batched-push-timeout" is -1'],
    node: 'mux',
  },
  {
    name: 'a batch smaller than its streams',
    change: all(set('mux', 'batch-size', 1), set('infer', 'batch-size', 1)),
    says: ['"batch-size" is 1, but 2 streams are linked'],
    node: 'mux',
  },
  {
    name: 'a detector with another batch than the muxer',
    change: set('infer', 'batch-size', 4),
    says: ['"batch-size" is 4, but "mux" makes batches of 2'],
    node: 'infer',
    property: 'batch-size',
  },
  {
    name: 'a detector with another batch in its file',
    change: set('infer', 'batch-size', undefined),
    says: ['"batch-size" is 1, but "mux" makes batches of 2'],
    node: 'infer',
  },
  {
    name: 'a variable that chooses nothing',
    change: environment({ USE_NEW_NVSTREAMMUX: 'true' }),
    says: ['USE_NEW_NVSTREAMMUX is "true"', 'only the text "yes"'],
  },
  {
    name: 'the new muxer without its variable',
    base: fullNew,
    change: environment({}),
    says: ['USE_NEW_NVSTREAMMUX=yes'],
    node: 'mux',
    several: true,
  },
  {
    name: 'the new muxer without a batch size',
    base: fullNew,
    change: all(set('mux', 'batch-size', undefined), set('mux', 'config-file-path', undefined)),
    says: ['neither "batch-size" nor "config-file-path"'],
    node: 'mux',
  },
  {
    name: 'a pad of the demultiplexer without a stream',
    change: relink('demux.src_1', 'draw-queue', { from: 'demux.src_5' }),
    says: ['no stream comes out of pad "src_5"', '"sink_5"'],
    node: 'demux',
  },
  {
    name: 'a pad of the demultiplexer without a number',
    change: relink('demux.src_1', 'draw-queue', { from: 'demux' }),
    says: ['must be asked for by number'],
    node: 'demux',
  },
];
