import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sightline } from '../../src/gen/frame.js';
import { decodeImage } from '../../src/metadata/image.ts';

test('decodeImage() gives the picture as a view of the bytes, not a copy', () => {
  const picture = Uint8Array.from({ length: 5000 }, (_, index) => index % 251);
  const { Image } = sightline.v1;
  const encoded = Image.encode(
    Image.fromObject({
      streamId: 'gate',
      frameSequence: '7',
      captureClock: 'CAPTURE_CLOCK_ARRIVAL',
      width: 640,
      height: 480,
      contentType: 'image/jpeg',
      ref: 'gate/2023/11/14/22/s-7.jpg',
      data: picture,
    }),
  ).finish();
  for (const bytes of [Uint8Array.from(encoded), Buffer.from(encoded)]) {
    const image = decodeImage(bytes);
    assert.equal(image.data.buffer, bytes.buffer);
    assert.deepEqual(Uint8Array.from(image.data), picture);
    assert.equal(image.ref, 'gate/2023/11/14/22/s-7.jpg');
    assert.equal(image.frameSequence.toString(), '7');
    assert.equal(image.width, 640);
  }
});

test('decodeImage() refuses bytes that are no image', () => {
  assert.throws(() => decodeImage(Uint8Array.of(0x0a, 0xff)), { code: 'SL_INTERNAL' });
});
