import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EpochFence } from '../../src/common/epoch-fence.ts';
import { decodeMessage } from '../../src/consumer/decode.ts';
import { rejectStale } from '../../src/consumer/reject-stale.ts';
import { sightline } from '../../src/gen/frame.js';
import { withEpoch } from '../../src/metadata/epoch.ts';
import { frameToJson } from '../../src/metadata/frame.ts';
import { readFrameHeader } from '../../src/metadata/frame-header.ts';

const { Frame, Image, Segment } = sightline.v1;
const IDS = { streamId: 'cam', session: 's', frameSequence: '4' };

test('an epoch put behind a message is its epoch, and everything else stays', () => {
  const frame = Frame.encode(
    Frame.fromObject({ ...IDS, recordId: 'cam/s/4', epoch: '3' }),
  ).finish();
  for (const epoch of [1, 127, 128, 300, 2 ** 31, 2 ** 53 - 1]) {
    const stamped = withEpoch('frame', frame, epoch);
    const json = frameToJson(stamped);
    assert.equal(json.epoch, String(epoch));
    assert.deepEqual({ ...json, epoch: '3' }, frameToJson(frame));
    assert.equal(readFrameHeader(stamped).recordId, 'cam/s/4');
  }
  const data = new Uint8Array([1, 2, 3]);
  const image = Image.encode(
    Image.fromObject({ ...IDS, recordId: 'cam/s/4/image', data }),
  ).finish();
  const read = Image.decode(withEpoch('image', image, 5));
  assert.deepEqual([String(read.epoch), [...read.data], read.streamId], ['5', [1, 2, 3], 'cam']);
  const segment = Segment.encode(Segment.fromObject({ streamId: 'cam', key: 'k' })).finish();
  assert.equal(String(Segment.decode(withEpoch('segment', segment, 9)).epoch), '9');
  const event = Buffer.from('{"type":"x"}');
  assert.equal(withEpoch('event', event, 9), event);
});

test('a reader’s fence lets no earlier owner through, and counts', () => {
  const frame = Frame.encode(Frame.fromObject({ ...IDS, recordId: 'cam/s/4' })).finish();
  const data = new Uint8Array([1]);
  const image = Image.encode(
    Image.fromObject({ ...IDS, recordId: 'cam/s/4/image', data }),
  ).finish();
  const records = (epoch: number) => [
    ...decodeMessage(epoch === 0 ? frame : withEpoch('frame', frame, epoch), { kind: 'frame' }),
    ...decodeMessage(epoch === 0 ? image : withEpoch('image', image, epoch), { kind: 'image' }),
  ];
  const fence = new EpochFence();
  assert.equal(rejectStale(records(1), fence).length, 2);
  assert.equal(rejectStale(records(2), fence).length, 2);
  assert.equal(rejectStale(records(1), fence).length, 0);
  const event = (epoch: number) =>
    decodeMessage(JSON.stringify({ id: 1, type: 'stream.removed', streamId: 'cam', epoch }));
  assert.equal(rejectStale(event(1), fence).length, 0);
  assert.equal(rejectStale(event(2), fence).length, 1);
  assert.equal(fence.stale, 3);
  assert.equal(rejectStale(records(0), fence).length, 2, 'of no fleet');
  assert.equal(fence.accepts('other', 1), true);
  const later = new EpochFence(fence.entries());
  assert.equal(rejectStale(records(1), later).length, 0, 'a reader that kept what it knew');
});
