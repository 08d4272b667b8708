import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Caps, parseCaps } from '../../../src/pipeline/catalogue/caps.ts';
import {
  intersectCaps,
  isEmptyCaps,
  unionCaps,
} from '../../../src/pipeline/catalogue/caps-intersect.ts';
import { describeCaps } from '../../../src/pipeline/catalogue/caps-text.ts';
import { inFolder, runShell } from '../run.ts';

function caps(text: string): Caps {
  const parsed = parseCaps(text);
  assert.ok(parsed, `${text} is caps`);
  return parsed;
}

function meet(a: string, b: string): boolean {
  const [one, other] = [caps(a), caps(b)];
  const empty = isEmptyCaps(intersectCaps(one, other));
  assert.equal(isEmptyCaps(intersectCaps(other, one)), empty, 'both ways round');
  return !empty;
}

const NVMM = 'video/x-raw(memory:NVMM)';

/** Pairs that meet, and pairs that do not; GStreamer itself is asked too. */
const MEET: readonly (readonly [string, string])[] = [
  ['ANY', 'video/x-raw'],
  ['video/x-raw', 'video/x-raw,format=NV12'],
  ['video/x-raw(memory:SystemMemory)', 'video/x-raw'],
  [`${NVMM},format={NV12,RGBA}`, `${NVMM}, format=(string)RGBA`],
  ['video/x-raw(ANY)', `${NVMM},format=NV12`],
  ['video/x-raw,width=[1,1920]', 'video/x-raw,width=1920'],
  ['video/x-raw,width=[1,640]', 'video/x-raw,width=[640,1920]'],
  ['video/x-raw,width={320,640}', 'video/x-raw,width=[600,700]'],
  ['video/x-raw,framerate=[0/1,30/1]', 'video/x-raw,framerate=60000/2002'],
  ['video/x-raw,framerate=30/1', 'video/x-raw,framerate=60/2'],
  ['image/jpeg;video/x-raw', 'video/x-raw,format=I420;image/png'],
  ['video/x-h264,parsed=true', 'video/x-h264,parsed=(boolean)true'],
  ['video/x-h264,profile={high-4:4:4,main}', 'video/x-h264,profile=main'],
  ['application/x-rtp,payload=[96,127]', 'application/x-rtp,payload=(int)96'],
];
const APART: readonly (readonly [string, string])[] = [
  ['video/x-raw', NVMM],
  ['video/x-raw', 'audio/x-raw'],
  [`${NVMM},format=I420`, `${NVMM},format={NV12,RGBA}`],
  ['video/x-raw,width=[1,640]', 'video/x-raw,width=[641,1920]'],
  ['video/x-raw,width=641', 'video/x-raw,width=[1,640]'],
  ['video/x-raw,framerate=[0/1,30/1]', 'video/x-raw,framerate=61/2'],
  ['video/mpeg,mpegversion=4', 'video/mpeg,mpegversion={1,2}'],
  ['video/x-raw,a=(string)1', 'video/x-raw,a=(int)1'],
  ['video/x-h264,parsed=true', 'video/x-h264,parsed=false'],
  ['EMPTY', 'ANY'],
];

describe('caps', () => {
  for (const [a, b] of MEET) it(`${a} meets ${b}`, () => assert.ok(meet(a, b)));
  for (const [a, b] of APART) it(`${a} does not meet ${b}`, () => assert.ok(!meet(a, b)));

  it('meet where GStreamer says that they do', async () => {
    await inFolder(async (folder) => {
      const pairs = [...MEET, ...APART].filter(([a]) => a !== 'ANY' && a !== 'EMPTY');
      // A capsfilter behind a capsfilter links only where both meet.
      for (const [a, b] of pairs) {
        const line = `gst-launch-1.0 -q fakesrc num-buffers=0 ! capsfilter name=a caps='${a}' ! capsfilter name=b caps='${b}' ! fakesink 2>&1 || true`;
        const text = await runShell(line, folder);
        assert.equal(!/could not link|erroneous/.test(text), meet(a, b), `${a} and ${b}: ${text}`);
      }
    });
  });

  it('are not read from what is no caps', () => {
    for (const text of [
      '',
      'NV12',
      'video',
      'video/x-raw,',
      'video/x-raw,format=',
      'video/x-raw;;',
    ]) {
      assert.equal(parseCaps(text), undefined, JSON.stringify(text));
    }
    for (const text of ['video/x-raw,width=[1,2', 'video/x-raw,w=[a,b]', 'video/x-raw,f={a']) {
      assert.equal(parseCaps(text), undefined, JSON.stringify(text));
    }
  });

  it('keep a separator in quotes', () => {
    const value = caps('video/x-raw,a="x, y; z",b=1').structures[0]?.fields.get('a');
    assert.deepEqual([...(value?.items ?? [])], ['s:x, y; z']);
  });

  it('are told with what matters in them', () => {
    const text = `${NVMM}, format={NV12,RGBA}, width=[1,10]; video/x-raw, format=I420`;
    assert.equal(
      describeCaps(caps(text)),
      'video/x-raw(memory:NVMM) format NV12|RGBA or video/x-raw format I420',
    );
    assert.equal(describeCaps(caps('ANY')), 'anything');
    assert.equal(describeCaps(caps('EMPTY')), 'nothing');
    assert.equal(describeCaps(caps('video/x-raw(ANY)')), 'video/x-raw(any memory)');
  });

  it('of several pads are what any of them takes', () => {
    const both = unionCaps([caps('image/jpeg'), caps('video/x-raw')]);
    assert.ok(!isEmptyCaps(intersectCaps(both, caps('video/x-raw'))));
    assert.ok(isEmptyCaps(intersectCaps(both, caps('audio/x-raw'))));
    assert.ok(unionCaps([caps('image/jpeg'), caps('ANY')]).any);
  });

  it('of hostile length are read in time', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => `video/x-raw,width=${i}`).join(';');
    assert.equal(caps(many).structures.length, 20_000);
    assert.equal(parseCaps(`video/x-raw,a=${'{'.repeat(50_000)}`), undefined);
    const nested = `${'{'.repeat(50_000)}1${'}'.repeat(50_000)}`;
    assert.equal(parseCaps(`video/x-raw,a=${nested}`), undefined);
  });
});
