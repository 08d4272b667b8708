import { lowered } from '../build.ts';
import { dynamicGraph } from '../canonical.ts';
import type { WrongCase } from '../corpus.ts';
import { full } from '../full.ts';
import { set, setMany } from '../mutate.ts';

const dynamic = () => lowered(dynamicGraph(4));

/** Cameras that are not kept up. */
export const WRONG_SOURCES: readonly WrongCase[] = [
  {
    name: 'rtsps, which is not kept up',
    change: set('source-0', 'uri', 'rtsps://cam.example/main'),
    says: ['cannot keep up rtsps://', 'rtspsrc'],
    node: 'source-0',
    pointer: '/streams/0/source',
  },
  {
    name: 'rtspt, which is not kept up',
    change: set('source-0', 'uri', 'rtspt://cam.example/main'),
    says: ['cannot keep up rtspt://', '"select-rtp-protocol" 4'],
    node: 'source-0',
  },
  {
    name: 'a path for an address',
    change: set('source-0', 'uri', '/media/clip.mp4'),
    says: ['"uri" must start with a scheme'],
    node: 'source-0',
  },
  {
    name: 'RTP over HTTP by number',
    change: set('source-0', 'select-rtp-protocol', 10),
    says: ['does not choose HTTP'],
    node: 'source-0',
    property: 'select-rtp-protocol',
  },
  {
    name: 'RTP over TLS by nick',
    change: set('source-0', 'select-rtp-protocol', 'rtp-tls'),
    says: ['does not choose TLS'],
    node: 'source-0',
  },
  {
    name: 'a camera that is never connected again',
    change: set('source-1', 'rtsp-reconnect-interval', undefined),
    says: ['"rtsp-reconnect-interval" is 0', 'never connected again'],
    pointer: '/streams/1/source',
  },
  {
    name: 'recording without a folder',
    change: setMany('source-0', { 'smart-record': 2, type: 'rtsp' }),
    says: ['"smart-rec-dir-path" must be set'],
    node: 'source-0',
  },
  {
    name: 'recording of a file',
    base: (platform) => full(platform, false),
    change: setMany('source-0', { 'smart-record': 1, 'smart-rec-dir-path': '/rec' }),
    says: ['"smart-record" works on rtsp:// only'],
    node: 'source-0',
  },
  {
    name: 'two sources of one number',
    change: set('source-1', 'source-id', 0),
    says: ['"source-id" 0 is that of "source-0" too'],
    node: 'source-1',
  },
  {
    name: "NVIDIA's server on every network",
    base: dynamic,
    change: set('source', 'port', '9000'),
    says: ['a server without a password', '127.0.0.1:9000'],
    node: 'source',
  },
  {
    name: 'the same by default',
    base: dynamic,
    change: set('source', 'port', undefined),
    says: ['a server without a password'],
    node: 'source',
  },
  {
    name: 'the muxer inside without a size',
    base: dynamic,
    change: set('source', 'width', undefined),
    says: ['nvmultiurisrcbin', '"width" must be set'],
    node: 'source',
  },
  {
    name: 'a detector with another batch than the muxer inside',
    base: dynamic,
    change: set('infer', 'batch-size', 1),
    says: ['"source" makes batches of 4'],
    node: 'infer',
  },
  {
    name: 'streams that come and go without a time-out',
    base: dynamic,
    change: set('source', 'batched-push-timeout', -1),
    says: ['waits for a full batch'],
    node: 'source',
  },
];
