import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { PATHS } from '../../src/common/paths.ts';
import { startCamera } from '../support/camera.ts';
import { type Watched, watchPackets } from '../support/rtp-viewer.ts';

const FRAME_UNITS = 90_000 / 40;
const LASTING_MS = 1600;
const LIMIT_MS = 10_000;

/** Each stream of one camera with a fault of its own. */
const FAULTS = [
  'no-sender-reports#1',
  'freeze-clock@10+20#2',
  'clock-jump=-3600#3',
  'packet-loss=20#4',
  'reorder=30#5',
  'slow@10#6',
  'burst=8#7',
  'drop-key-frames@1#8',
  'stop@20+400#9',
  'change-resolution@12+12#10',
  'unauthorized@0+60s#11',
  'session-limit=1#12',
  'redirect=rtsp://127.0.0.1:1/cam@home#13',
  'stall@10+15#14',
  'garbage@10+10#15',
  'jitter=40#16',
];

const frames = (watched: Watched): number[] => watched.truths.map(({ frame }) => frame);
const steps = (numbers: readonly number[]): number[] =>
  numbers.slice(1).map((one, index) => one - numbers[index]!);
/** Time stamps, one a frame. */
const stamps = (watched: Watched): number[] =>
  watched.packets.filter(({ isLast }) => isLast).map(({ timestamp }) => timestamp);
const skew = (watched: Watched): number => watched.reports[0]! - Date.now() / 1000;

describe('the faults of the camera', () => {
  it('come when they should, each on its own stream, and leave the numbers true', async () => {
    await using camera = await startCamera({
      args: ['--count=17', '--fps=40', ...FAULTS.map((text) => `--fault=${text}`)],
    });
    const url = (number: number): string => camera.url.replace(/\d+$/, String(number));
    const holder = watchPackets(url(12), LASTING_MS);
    // Told below, where it is waited for.
    holder.catch(() => undefined);
    const all = await Promise.all(
      Array.from({ length: 17 }, (_, index) => {
        if (index + 1 !== 12) return watchPackets(url(index + 1), LASTING_MS);
        // Only once the other one plays is there nothing left for this one.
        return new Promise((done) => setTimeout(done, 300)).then(() => watchPackets(url(12), 1));
      }),
    );
    const stream = (number: number): Watched => all[number - 1]!;

    const clean = stream(17);
    assert.ok(frames(clean).length > 30, `${frames(clean).length} frames`);
    assert.ok(steps(frames(clean)).every((step) => step === 1));
    assert.ok(steps(stamps(clean)).every((step) => step === FRAME_UNITS));
    assert.ok(clean.reports.length >= 1 && Math.abs(skew(clean)) < 5);

    assert.deepEqual(stream(1).reports, []);
    assert.equal(steps(stamps(stream(2))).filter((step) => step === 0).length, 19);
    assert.ok(Math.abs(skew(stream(3)) + 3600) < 5);

    const sequence = (number: number): number[] =>
      stream(number).packets.map(({ sequence: one }) => one);
    assert.ok(
      steps(sequence(4)).some((step) => step > 1),
      'packets are lost',
    );
    assert.ok(
      steps(sequence(4)).every((step) => step >= 1),
      'and none is swapped',
    );
    assert.ok(
      steps(sequence(5)).some((step) => step < 0),
      'packets are swapped',
    );
    assert.equal(new Set(sequence(5)).size, sequence(5).length);

    assert.ok(
      steps(stamps(stream(6)))
        .slice(12)
        .every((step) => step === 2 * FRAME_UNITS),
    );
    assert.ok(steps(frames(stream(6))).every((step) => step === 1));

    const arrivals = stream(7)
      .packets.filter(({ isLast }) => isLast)
      .map(({ at }) => at);
    const pauses = steps(arrivals).filter((gap) => gap > 100).length;
    assert.ok(pauses >= 3 && pauses <= arrivals.length / 8 + 1, `${pauses} pauses`);

    // A whole NAL unit, or the first of its fragments; a picture may have several.
    const keys = stream(8).packets.filter(
      ({ payload: [first = 0, second] }) =>
        (first & 0x1f) === 5 || ((first & 0x1f) === 28 && second === (0x80 | 5)),
    );
    assert.equal(new Set(keys.map(({ timestamp }) => timestamp)).size, 1, 'only the first');
    assert.ok(steps(frames(stream(8))).some((step) => step === 2));

    assert.equal(stream(9).ended, true);
    assert.equal(frames(stream(9)).length, 20);
    assert.equal((await watchPackets(url(9), 1)).status, 503);

    const sizes = stream(10).packets.filter(({ payload }) => (payload[0]! & 0x1f) === 7);
    assert.equal(new Set(sizes.map(({ payload }) => payload.toString('hex'))).size, 2);
    assert.equal(stream(11).status, 401);
    assert.equal(stream(12).status, 453);
    assert.equal((await holder).status, 200);
    assert.equal(stream(13).location, 'rtsp://127.0.0.1:1/cam@home');

    assert.deepEqual(
      steps(frames(stream(14))).filter((step) => step !== 1),
      [16],
    );
    assert.ok(steps(frames(stream(15))).every((step) => step === 1));
    assert.ok(steps(stamps(stream(16))).every((step) => step === FRAME_UNITS));
  });

  it('end a viewer at once when the camera hangs up or is gone', async (context) => {
    const server = createServer((socket) => socket.once('data', () => socket.destroy()));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    context.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const started = performance.now();
    await assert.rejects(watchPackets(`rtsp://127.0.0.1:${port}/cam1`, 1), /hung up on DESCRIBE/);
    const camera = await startCamera();
    await camera.kill();
    await assert.rejects(watchPackets(camera.url, 1), { code: 'ECONNREFUSED' });
    assert.ok(performance.now() - started < LIMIT_MS);
  });

  it('are refused by name, form and value', async () => {
    const refusal = async (fault: string): Promise<string> => {
      const error = await promisify(execFile)(PATHS.camera, ['--clip=/x', `--fault=${fault}`]).then(
        () => assert.fail('The camera started'),
        (reason: { code: number; stderr: string }) => reason,
      );
      assert.equal(error.code, 2);
      return error.stderr.trim();
    };
    assert.match(await refusal('explode'), /no fault "explode"; there are die, stop, /);
    assert.match(await refusal('stall@soon'), /is not NAME\[=VALUE\]\[@START/);
    assert.match(await refusal('packet-loss=101'), /packet-loss=101 is not between 0 and 100/);
    assert.match(await refusal('stall=3'), /stall takes no value/);
    assert.match(await refusal('redirect'), /redirect needs a URL/);
  });
});
