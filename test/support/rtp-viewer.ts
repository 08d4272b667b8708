import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type GroundTruth, readSei } from '../../src/ground-truth/sei.ts';

export interface RtpPacket {
  /** `performance.now()`. */
  readonly at: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly isLast: boolean;
  readonly payload: Buffer;
}

export interface Watched {
  /** Status of the first answer that is not 200, else 200. */
  readonly status: number;
  /** The `Location` of a redirect. */
  readonly location: string | undefined;
  readonly packets: readonly RtpPacket[];
  /** Unix time in s of each sender report. */
  readonly reports: readonly number[];
  readonly ended: boolean;
  /** Numbers of the frames, in the order of their messages. */
  readonly truths: readonly GroundTruth[];
}

const NTP_FROM_1970 = 2_208_988_800;

/** For each answer of a camera. */
const ANSWER_MS = 10_000;

/**
 * A viewer of H.264 by TCP that looks at every packet: asks, plays for `ms` and hangs up. Rejects where the camera hangs up
 * or is silent in place of an answer.
 */
export async function watchPackets(url: string, ms: number): Promise<Watched> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect');
    return await watch(socket, url, ms);
  } finally {
    socket.destroy();
  }
}

async function watch(socket: Socket, url: string, ms: number): Promise<Watched> {
  const packets: RtpPacket[] = [];
  const reports: number[] = [];
  const refused = await start(socket, url);
  let ended = false;
  if (refused === undefined) {
    let unread: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      unread = Buffer.concat([unread, chunk]);
      while (unread.length >= 4 && unread.length >= 4 + unread.readUInt16BE(2)) {
        const packet = unread.subarray(4, 4 + unread.readUInt16BE(2));
        if (unread[1] === 0) packets.push(parse(packet));
        else reports.push(packet.readUInt32BE(8) - NTP_FROM_1970);
        unread = unread.subarray(4 + packet.length);
      }
    });
    ended = await Promise.race([
      once(socket, 'close').then(() => true),
      new Promise<false>((done) => setTimeout(() => done(false), ms)),
    ]);
  }
  const truths = packets.flatMap(({ payload }) => readSei(payload, 'h264') ?? []);
  return { status: 200, location: undefined, ...refused, packets, reports, ended, truths };
}

/** What refused it, if anything did. */
async function start(socket: Socket, url: string) {
  for (const [method, at, more] of [
    ['DESCRIBE', url, ''],
    ['SETUP', `${url}/stream=0`, 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n'],
    ['PLAY', url, 'Session: 1\r\n'],
  ] as const) {
    socket.write(`${method} ${at} RTSP/1.0\r\nCSeq: 1\r\n${more}\r\n`);
    const chunk = await answerOf(socket, method);
    const answer = chunk.toString('latin1');
    const status = Number(answer.split(' ')[1]);
    if (status !== 200) return { status, location: /Location: (\S+)/.exec(answer)?.[1] };
    if (method === 'PLAY') socket.unshift(chunk.subarray(chunk.indexOf('\r\n\r\n') + 4));
  }
  return undefined;
}

async function answerOf(socket: Socket, method: string): Promise<Buffer> {
  const limit = new AbortController();
  const options = { signal: AbortSignal.any([limit.signal, AbortSignal.timeout(ANSWER_MS)]) };
  const hungUp = once(socket, 'close', options).then(() => {
    throw new Error(`The camera hung up on ${method}`);
  });
  hungUp.catch(() => undefined);
  try {
    const [chunk] = (await Promise.race([once(socket, 'data', options), hungUp])) as [Buffer];
    return chunk;
  } finally {
    limit.abort();
  }
}

function parse(packet: Buffer): RtpPacket {
  return {
    at: performance.now(),
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    isLast: (packet[1]! & 0x80) !== 0,
    payload: packet.subarray(12),
  };
}
