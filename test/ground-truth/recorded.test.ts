import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { groundTruth } from '../../src/ground-truth/command.ts';
import { readFileTruth } from '../../src/ground-truth/file.ts';
import { reportStreams } from '../../src/ground-truth/report.ts';
import { startCamera } from '../support/camera.ts';
import { temporaryFolder } from '../support/server.ts';

const run = promisify(execFile);

/** A clip of a second at 40 frames, short enough to loop within a test. */
async function makeClip(file: string, codec: 'h264' | 'h265'): Promise<void> {
  const encoder =
    codec === 'h264'
      ? ['x264enc', 'key-int-max=20', 'bframes=0', '!', 'h264parse']
      : [
          'x265enc',
          'key-int-max=20',
          'speed-preset=ultrafast',
          'tune=zerolatency',
          '!',
          'h265parse',
        ];
  await run('gst-launch-1.0', [
    ...['-q', 'videotestsrc', 'num-buffers=40', '!'],
    ...['video/x-raw,width=160,height=120,framerate=40/1', '!', ...encoder, '!'],
    ...['mp4mux', '!', 'filesink', `location=${file}`],
  ]);
}

/** Records a camera with stock elements: a reader of its own kind. */
async function record(url: string, codec: 'h264' | 'h265', frames: number, writer: string[]) {
  const limit = { timeout: 30_000, killSignal: 'SIGKILL' } as const;
  const line = [
    ...['-q', '-e', 'rtspsrc', `location=${url}`, 'protocols=tcp', 'buffer-mode=none', '!'],
    ...[`rtp${codec}depay`, '!', `${codec}parse`, '!', 'identity', `eos-after=${frames + 1}`, '!'],
    ...writer,
  ];
  await run('gst-launch-1.0', line, limit);
}

describe('the ground truth of a recording', () => {
  for (const codec of ['h264', 'h265'] as const) {
    it(`is whole over the end of the clip, in MP4 of each kind and in a bare stream (${codec})`, async () => {
      await using folder = await temporaryFolder();
      const clip = join(folder.path, 'clip.mp4');
      await makeClip(clip, codec);
      await using camera = await startCamera({ args: ['--clip', clip, '--count', '3'] });
      const url = (number: number): string => camera.url.replace(/\d$/, String(number));
      const file = (name: string): string => join(folder.path, name);
      const stream = `video/x-${codec},stream-format=byte-stream,alignment=au`;
      await Promise.all([
        record(url(1), codec, 60, ['mp4mux', '!', 'filesink', `location=${file('plain.mp4')}`]),
        record(url(2), codec, 60, [
          ...['mp4mux', 'fragment-duration=300', '!', 'filesink', `location=${file('parts.mp4')}`],
        ]),
        record(url(3), codec, 60, [stream, '!', 'filesink', `location=${file('bare')}`]),
      ]);
      for (const [index, name] of ['plain.mp4', 'parts.mp4', 'bare'].entries()) {
        const read = await readFileTruth(file(name));
        assert.equal(read.codec, codec);
        assert.equal(read.unmarked, 0);
        const [report, ...others] = reportStreams(read.truths.map((truth) => ({ truth })));
        assert.deepEqual(others, []);
        const { stream: number, received, first, lost, duplicated, reordered } = report!;
        assert.deepEqual(
          { number, received, first, lost, duplicated, reordered },
          { number: index + 1, received: 60, first: 0, lost: 0, duplicated: 0, reordered: 0 },
          name,
        );
        assert.deepEqual([...new Set(read.truths.map(({ loop }) => loop))], [0, 1]);
        const [start, end] = [read.truths[0]!, read.truths.at(-1)!];
        const lasted = Number(end.monotonicNs - start.monotonicNs) / 1e6;
        assert.ok(lasted > 59 * 25 - 20, `${lasted} ms`);
        assert.ok(Math.abs(Number(end.wallNs) / 1e6 - Date.now()) < 60_000);
      }
      const cut = await readFile(file('parts.mp4'));
      await writeFile(file('cut.mp4'), cut.subarray(0, Math.floor(cut.length * 0.7)));
      const { truths } = await readFileTruth(file('cut.mp4'));
      assert.ok(truths.length >= 20 && truths.length < 60, `${truths.length} frames`);
    });
  }

  it('shows every frame that a fault withheld, and says so with its exit code', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'stalled.mp4');
    await using camera = await startCamera({
      args: ['--count=1', '--fps=40', '--fault=stall@15+7', '--fault=drop-key-frames@25+20'],
    });
    await record(camera.url, 'h264', 40, ['mp4mux', '!', 'filesink', `location=${file}`]);
    const lines: string[] = [];
    const code = await groundTruth([file], { json: true, print: (line) => lines.push(line) });
    assert.equal(code, 1);
    const { streams } = JSON.parse(lines[0]!) as { streams: { lost: number; gaps: object[] }[] };
    assert.deepEqual(streams[0]!.gaps[0], { from: 15, to: 21 });
    lines.length = 0;
    await groundTruth([file], { print: (line) => lines.push(line) });
    assert.match(lines[0]!, /^stream 1: 40 frames, 0 to \d+; lost \d+ \(15-21/);
  });

  it('says what a file without numbers is', async () => {
    await using folder = await temporaryFolder();
    const clip = join(folder.path, 'clip.mp4');
    await makeClip(clip, 'h264');
    const lines: string[] = [];
    assert.equal(await groundTruth([clip], { print: (line) => lines.push(line) }), 1);
    assert.deepEqual(lines, ['40 frames carry no number']);
    const text = join(folder.path, 'text.mp4');
    await writeFile(text, 'This is no video.');
    await assert.rejects(readFileTruth(text), { code: 'SL_REQUEST_INVALID' });
    await assert.rejects(readFileTruth(join(folder.path, 'none.mp4')), { code: 'SL_NOT_FOUND' });
  });
});
