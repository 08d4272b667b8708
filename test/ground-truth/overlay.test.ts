import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { readBlockCode } from '../../src/ground-truth/block-code.ts';
import { readFileTruth } from '../../src/ground-truth/file.ts';
import { startCamera } from '../support/camera.ts';
import { temporaryFolder } from '../support/server.ts';

const run = promisify(execFile);
const FRAMES = 8;

/** Launches stock elements; `line` is split at blanks. */
async function launch(line: string): Promise<void> {
  const args = ['-q', '-e', ...line.split(/\s+/)];
  await run('gst-launch-1.0', args, { timeout: 30_000, killSignal: 'SIGKILL' });
}

/** The pictures of a file of raw brightness. */
async function codesOf(file: string, width: number, height: number) {
  const bytes = await readFile(file);
  const size = width * height;
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, index) =>
    readBlockCode({ data: bytes.subarray(index * size, (index + 1) * size), width, height }),
  );
}

describe('the overlay of the camera', () => {
  it('draws the number that the stream carries, legible after scaling and JPEG', async () => {
    await using folder = await temporaryFolder();
    const file = (name: string): string => join(folder.path, name);
    await using camera = await startCamera({ args: ['--count=2', '--fps=40', '--overlay'] });
    const [first, second] = [camera.url, camera.url.replace(/1$/, '2')];
    // Widths that rows of GRAY8 need no padding for.
    await Promise.all([
      launch(
        `rtspsrc location=${first} protocols=tcp buffer-mode=none ! rtph264depay ! h264parse ! ` +
          `identity eos-after=${FRAMES + 1} ! tee name=t t. ! queue ! mp4mux ! filesink location=${file('a.mp4')} ` +
          `t. ! queue ! avdec_h264 max-threads=1 ! videoconvert ! videoscale ! ` +
          `video/x-raw,format=GRAY8,width=640,height=480 ! filesink location=${file('a.gray')}`,
      ),
      launch(
        `rtspsrc location=${second} protocols=tcp buffer-mode=none ! rtph264depay ! h264parse ! ` +
          `identity eos-after=${FRAMES + 1} ! avdec_h264 max-threads=1 ! videoconvert ! jpegenc quality=40 ! ` +
          `jpegdec ! videoconvert ! videoscale ! video/x-raw,format=GRAY8,width=320,height=240 ! ` +
          `filesink location=${file('b.gray')}`,
      ),
    ]);
    const { truths } = await readFileTruth(file('a.mp4'));
    const drawn = await codesOf(file('a.gray'), 640, 480);
    assert.equal(truths.length, FRAMES);
    assert.deepEqual(
      drawn.map((one) => one?.frame),
      truths.map(({ frame }) => frame),
    );
    for (const [index, one] of drawn.entries()) {
      // From drawing to sending: the encoder's time.
      const waited = Number(truths[index]!.wallNs) / 1e6 - one!.wallMs;
      assert.ok(waited >= 0 && waited < 5000, `${waited} ms`);
    }
    const small = await codesOf(file('b.gray'), 320, 240);
    const numbers = small.map((one) => one?.frame ?? Number.NaN);
    assert.equal(numbers.length, FRAMES);
    assert.ok(
      numbers.slice(1).every((one, index) => one === numbers[index]! + 1),
      `${numbers}`,
    );
  });

  it('is not seen where it is not, or damaged', () => {
    const [width, height] = [640, 480];
    const data = new Uint8Array(width * height).fill(128);
    assert.equal(readBlockCode({ data, width, height }), undefined);
    assert.equal(readBlockCode({ data, width: 64, height }), undefined);
  });
});
