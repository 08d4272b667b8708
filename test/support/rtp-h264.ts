import type { Socket } from 'node:net';
import type { H264Clip } from './h264-clip.ts';

const CLOCK_RATE = 90_000;
const MAX_PAYLOAD = 1400;
const FU_A = 28;
/** A viewer that does not read is not sent more than this. */
const MAX_UNSENT = 4 * 1024 * 1024;

export interface Playing {
  /** Frames a second; default: the clip's own. */
  readonly fps?: number;
  /** Synchronization source of a packet (default 1). */
  readonly ssrc?: (packet: number) => number;
  /** What is sent in place of frame `index`; default: the clip's access units, over and over. */
  readonly frame?: (index: number) => readonly Buffer[] | undefined;
  /** Runs before frame `index` is sent; false ends the sending. */
  readonly before?: (index: number, socket: Socket) => boolean;
  /** The bytes of a frame's packets on their way out. */
  readonly send?: (bytes: Buffer, socket: Socket) => void;
}

/**
 * Sends the clip over an RTSP connection, interleaved on channel 0, until the socket closes. Each frame has its time, as
 * in a camera: a sender that was held up sends at once what is due.
 */
export function playClip(socket: Socket, clip: H264Clip, playing: Playing = {}): void {
  const { fps = clip.fps, ssrc = () => 1, before = () => true } = playing;
  const frame = playing.frame ?? ((index) => clip.units[index % clip.units.length]);
  const send = playing.send ?? ((bytes, to) => to.write(bytes));
  const startedAt = performance.now();
  let index = 0;
  let packets = 0;
  const sendNext = () => {
    const payloads = packetize(frame(index) ?? []);
    const timestamp = Math.round((index * CLOCK_RATE) / fps) >>> 0;
    const out = payloads.map((payload, at) => {
      packets += 1;
      const marker = at === payloads.length - 1;
      return interleavedRtp({ sequence: packets, timestamp, payload, marker, ssrc: ssrc(packets) });
    });
    if (socket.writableLength < MAX_UNSENT) send(Buffer.concat(out), socket);
    index += 1;
  };
  const sendDue = () => {
    while (performance.now() - startedAt >= (index * 1000) / fps) {
      if (socket.destroyed || !before(index, socket)) return clearInterval(timer);
      sendNext();
    }
  };
  const timer = setInterval(sendDue, 1000 / fps);
  socket.on('close', () => clearInterval(timer));
  sendDue();
}

/** RFC 6184: a NAL unit in one packet, or in fragments (FU-A) where it is too long. */
function packetize(nals: readonly Buffer[]): Buffer[] {
  return nals.flatMap((nal) => {
    if (nal.length <= MAX_PAYLOAD) return [nal];
    const header = nal[0]!;
    const fragments: Buffer[] = [];
    for (let at = 1; at < nal.length; at += MAX_PAYLOAD - 2) {
      const part = nal.subarray(at, at + MAX_PAYLOAD - 2);
      const first = at === 1 ? 0x80 : 0;
      const last = at + part.length >= nal.length ? 0x40 : 0;
      const indicator = Buffer.from([(header & 0xe0) | FU_A, first | last | (header & 0x1f)]);
      fragments.push(Buffer.concat([indicator, part]));
    }
    return fragments;
  });
}

interface RtpPacket {
  readonly sequence: number;
  readonly timestamp: number;
  readonly payload: Buffer;
  readonly marker?: boolean;
  readonly ssrc?: number;
}

/** One RTP packet as it travels inside an RTSP connection (RFC 2326, 10.12). */
export function interleavedRtp({ sequence, timestamp, payload, ...more }: RtpPacket): Buffer {
  const { marker = false, ssrc = 1 } = more;
  const packet = Buffer.alloc(16 + payload.length);
  packet.write('$', 0, 'latin1');
  packet.writeUInt8(0, 1);
  packet.writeUInt16BE(12 + payload.length, 2);
  packet.writeUInt8(0x80, 4);
  packet.writeUInt8((marker ? 0x80 : 0) | 96, 5);
  packet.writeUInt16BE(sequence & 0xffff, 6);
  packet.writeUInt32BE(timestamp, 8);
  packet.writeUInt32BE(ssrc >>> 0, 12);
  payload.copy(packet, 16);
  return packet;
}
