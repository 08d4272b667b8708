import { node } from '../build.ts';
import type { WrongCase } from '../corpus.ts';
import { add, all, insert, link, replace, set } from '../mutate.ts';

const NVMM = 'video/x-raw(memory:NVMM)';

/** Metadata that is not true where it is read. */
export const WRONG_METADATA: readonly WrongCase[] = [
  {
    name: 'metadata behind the tiler',
    change: insert(
      'metadata-queue',
      node('tiles', 'nvmultistreamtiler', { rows: 1, columns: 2 }),
      'meta',
    ),
    says: ['stands behind nvmultistreamtiler "tiles", which moves boxes'],
    node: 'meta',
  },
  {
    name: 'metadata behind a converter',
    change: insert(
      'split',
      node('rgba', 'nvvideoconvert'),
      'metadata-queue',
      `${NVMM},format=RGBA`,
    ),
    says: ['stands behind nvvideoconvert "rgba", which moves boxes'],
    node: 'meta',
    several: true,
  },
  {
    name: 'metadata of the CPU behind a batch',
    change: replace('meta', 'slmeta', {}),
    says: ['reads no metadata of DeepStream: use sldsmeta'],
    node: 'meta',
  },
  {
    name: 'metadata without a batch',
    change: all(
      add(
        node('test', 'videotestsrc'),
        node('other', 'sldsmeta', { streams: '0=cam0/cam0' }),
        node('others', 'fakesink', { sync: false, async: false }),
      ),
      link('test', 'other'),
      link('other', 'others'),
    ),
    says: ['nothing that makes them (nvstreammux, nvmultiurisrcbin)'],
    node: 'other',
  },
  {
    name: 'a stream without a name',
    change: set('meta', 'streams', '0=cam0/cam0'),
    says: ['no name for pad "sink_1"'],
    node: 'meta',
    property: 'streams',
  },
  {
    name: 'a name that is no stream',
    change: set('meta', 'streams', '0=cam0/cam0;1=cam7/cam7'),
    says: ['names "cam7", which is no stream'],
    node: 'meta',
  },
  {
    name: 'streams in another form',
    change: set('meta', 'streams', 'cam0,cam1'),
    says: ['pad=stream/sensor'],
    node: 'meta',
  },
  {
    name: 'models in another form',
    change: set('meta', 'models', 'yolox'),
    says: ['id=name/version'],
    node: 'meta',
  },
  {
    name: 'a clock that does not exist',
    change: set('meta', 'capture-clock', 'ntp'),
    says: ['takes rtcp or arrival'],
    node: 'meta',
  },
  {
    name: "a camera's clock that is the host's",
    change: set('mux', 'attach-sys-ts', true),
    says: ['"capture-clock" is rtcp, but "attach-sys-ts" of "mux" is true'],
    node: 'meta',
  },
  {
    name: 'bars the metadata does not know of',
    change: set('mux', 'enable-padding', true),
    says: ['"padding" is false, but "enable-padding" of "mux" is true'],
    node: 'meta',
  },
  {
    name: 'a converter of messages that would crash',
    change: all(
      add(
        node('msg-queue', 'queue'),
        node('msg', 'nvmsgconv', { 'msg2p-newapi': true, 'payload-type': 1 }),
        node('broker', 'nvmsgbroker', { 'proto-lib': '/opt/lib.so', sync: false, async: false }),
      ),
      link('split', 'msg-queue'),
      link('msg-queue', 'msg'),
      link('msg', 'broker'),
    ),
    says: ['"config" must be set with payload type 1'],
    node: 'msg',
  },
];
