import { randomBytes } from 'node:crypto';
import type { ErrorCode } from '../../src/common/errors.ts';
import type { StreamState } from '../../src/control/types.ts';
import type { H264Clip } from './h264-clip.ts';
import {
  byteByByte,
  changesClip,
  cutsPictures,
  describesItselfAs,
  endlessHeaders,
  except,
  flipsBits,
  playsThen,
  VIDEO,
  wellBehaved,
} from './hostile-camera.ts';
import { type Behaviour, playThen, refuseWith, response } from './rtsp-double.ts';

export interface HostileClips {
  readonly plain: H264Clip;
  /** Another size and profile. */
  readonly other: H264Clip;
}

export interface Scenario {
  readonly name: string;
  /** What goes wrong: the talk, or the pictures; `hang`: GStreamer cannot be stopped. */
  readonly kind: 'protocol' | 'media' | 'hang';
  readonly behaviour: Behaviour;
  /** The state it must come to, with one of these codes. */
  readonly expect: readonly [StreamState, readonly ErrorCode[]];
  /** True where it sends pictures that can be decoded. */
  readonly mayBeLive: boolean;
}

const DIGEST = 'Digest realm="camera", nonce="0123456789abcdef"';

/** Everything a camera has been seen to do, and what no camera would. */
export function hostileScenarios({ plain, other }: HostileClips): readonly Scenario[] {
  const protocol = (
    name: string,
    behaviour: Behaviour,
    state: StreamState,
    ...codes: ErrorCode[]
  ): Scenario => ({
    name,
    kind: 'protocol',
    behaviour,
    expect: [state, codes],
    mayBeLive: state === 'live',
  });
  const media = (
    name: string,
    behaviour: Behaviour,
    state: StreamState,
    ...codes: ErrorCode[]
  ): Scenario => ({ name, kind: 'media', behaviour, expect: [state, codes], mayBeLive: true });
  const manyMedia = VIDEO + 'm=audio 0 RTP/AVP 0\r\na=control:stream=1\r\n'.repeat(999);
  return [
    protocol(
      'sdp-is-noise',
      describesItselfAs(randomBytes(2000).toString('latin1'), plain),
      'backoff',
      'SL_SOURCE_BROKEN',
    ),
    protocol(
      'sdp-of-64-kb',
      describesItselfAs(`${VIDEO}a=x-more:${'s'.repeat(64_000)}\r\n`, plain),
      'live',
    ),
    protocol('sdp-of-1000-media', describesItselfAs(manyMedia, plain), 'live'),
    {
      name: 'headers-without-end',
      kind: 'hang',
      behaviour: endlessHeaders(),
      expect: ['backoff', ['SL_PIPELINE_TIMEOUT']],
      mayBeLive: false,
    },
    protocol(
      'silent-after-play',
      playThen(VIDEO, () => undefined),
      'backoff',
      'SL_SOURCE_STALLED',
    ),
    protocol(
      'hangs-up-after-setup',
      except('PLAY', plain, (_request, socket) => {
        socket.destroy();
        return undefined;
      }),
      'backoff',
      'SL_SOURCE_BROKEN',
    ),
    protocol(
      'no-answer-to-setup',
      except('SETUP', plain, () => undefined),
      'backoff',
      'SL_SOURCE_BROKEN',
    ),
    protocol(
      'negative-length',
      except('DESCRIBE', plain, (request) =>
        response(request, '200 OK', { 'Content-Length': '-1' }),
      ),
      'backoff',
      'SL_SOURCE_BROKEN',
    ),
    protocol(
      'length-of-2-gb',
      except('DESCRIBE', plain, (request) =>
        response(request, '200 OK', { 'Content-Length': '2147483647' }),
      ),
      'backoff',
      'SL_SOURCE_BROKEN',
    ),
    protocol(
      'asks-for-a-password-for-ever',
      refuseWith('401 Unauthorized', { 'WWW-Authenticate': `${DIGEST}, algorithm=MD5` }),
      'rejected',
      'SL_SOURCE_UNAUTHORIZED',
    ),
    protocol(
      'digest-of-an-unknown-algorithm',
      refuseWith('401 Unauthorized', { 'WWW-Authenticate': `${DIGEST}, algorithm=ROT13` }),
      'rejected',
      'SL_SOURCE_UNAUTHORIZED',
    ),
    protocol(
      'digest-md5-sess',
      refuseWith('401 Unauthorized', { 'WWW-Authenticate': `${DIGEST}, algorithm=MD5-sess` }),
      'rejected',
      'SL_SOURCE_UNAUTHORIZED',
    ),
    protocol(
      'redirects-to-metadata',
      redirectTo('rtsp://169.254.169.254/latest'),
      'rejected',
      'SL_SOURCE_REDIRECTED',
    ),
    protocol(
      'redirects-to-a-file',
      redirectTo('file:///etc/passwd'),
      'rejected',
      'SL_SOURCE_REDIRECTED',
    ),
    protocol(
      'redirects-to-itself',
      redirectTo('rtsp://127.0.0.1:PORT/redirects-to-itself'),
      'rejected',
      'SL_SOURCE_REDIRECTED',
    ),
    media('another-ssrc-each-packet', wellBehaved(plain, { ssrc: (packet) => packet }), 'backoff'),
    media('byte-by-byte', byteByByte(plain), 'live'),
    media(
      'silent-without-closing',
      playsThen(plain, 20, () => undefined),
      'backoff',
      'SL_SOURCE_STALLED',
    ),
    media(
      'flaps-each-2-s',
      playsThen(plain, 20, (socket) => socket.destroy()),
      'backoff',
      'SL_SOURCE_ENDED',
    ),
    media('flips-bits', flipsBits(plain, 20, 40), 'live'),
    media('cuts-pictures', cutsPictures(plain, 20), 'live'),
    media('changes-its-size', changesClip([plain, other], 20), 'live'),
  ];
}

function redirectTo(location: string): Behaviour {
  return (request, socket) => {
    const { port } = new URL(request.url);
    return refuseWith('302 Found', { Location: location.replace('PORT', port) })(request, socket);
  };
}
