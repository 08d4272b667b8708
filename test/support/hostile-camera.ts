import type { Socket } from 'node:net';
import type { H264Clip } from './h264-clip.ts';
import { isSlice } from './h264-clip.ts';
import { type Playing, playClip } from './rtp-h264.ts';
import {
  type Behaviour,
  playThen,
  type RtspDouble,
  response,
  sdp,
  startRtspDouble,
} from './rtsp-double.ts';

/** H.264 whose parameter sets come with the pictures. */
export const VIDEO = sdp('video', 'H264/90000');

/** A camera that does nothing wrong. */
export function wellBehaved(clip: H264Clip, playing: Playing = {}): Behaviour {
  return playThen(VIDEO, (socket) => playClip(socket, clip, playing));
}

/** Several cameras at one port, told apart by the last part of the path. An unknown one is refused with 404. */
export function startHostileCameras(
  cameras: Readonly<Record<string, Behaviour>>,
  port = 0,
): Promise<RtspDouble & { urlOf(name: string): string }> {
  return startRtspDouble((request, socket) => {
    const name = new URL(request.url).pathname.split('/')[1] ?? '';
    const behaviour = cameras[name];
    return behaviour === undefined
      ? response(request, '404 Not Found')
      : behaviour(request, socket);
  }, port).then((double) => ({
    ...double,
    urlOf: (name: string) => `rtsp://127.0.0.1:${double.port}/${name}`,
  }));
}

/** Lets one viewer in at a time, as small cameras do: the others get `status` until it has gone. */
export function oneSession(usual: Behaviour, status = '453 Not Enough Bandwidth'): Behaviour {
  let holder: Socket | undefined;
  return (request, socket) => {
    if (request.method === 'SETUP') {
      if (holder !== undefined && holder !== socket && !holder.destroyed) {
        return response(request, status);
      }
      holder = socket;
    }
    return usual(request, socket);
  };
}

/** Answers the method in its own way, and everything else as a camera should. */
export function except(method: string, clip: H264Clip, own: Behaviour): Behaviour {
  const usual = wellBehaved(clip);
  return (request, socket) =>
    request.method === method ? own(request, socket) : usual(request, socket);
}

/** Answers DESCRIBE with this text in place of a description. */
export function describesItselfAs(text: string, clip: H264Clip): Behaviour {
  return playThen(text, (socket) => playClip(socket, clip));
}

/** Header lines without an end, until the viewer hangs up. */
export function endlessHeaders(): Behaviour {
  return (_request, socket) => {
    socket.write('RTSP/1.0 200 OK\r\nCSeq: 1\r\n');
    const line = `X-More: ${'m'.repeat(1000)}\r\n`;
    repeat(socket, 20, () => socket.write(line.repeat(10)));
    return undefined;
  };
}

/** Every byte of every answer and packet on its own. */
export function byteByByte(clip: H264Clip): Behaviour {
  const drip = new Map<Socket, Buffer[]>();
  const slowly = (bytes: Buffer, socket: Socket) => {
    const waiting = drip.get(socket);
    if (waiting !== undefined) {
      waiting.push(bytes);
      return;
    }
    const queue = [bytes];
    drip.set(socket, queue);
    socket.setNoDelay(true);
    socket.on('close', () => drip.delete(socket));
    repeat(socket, 5, () => {
      const first = queue[0];
      if (first === undefined) return;
      socket.write(first.subarray(0, 1));
      if (first.length > 1) queue[0] = first.subarray(1);
      else queue.shift();
    });
  };
  const usual = playThen(VIDEO, (socket) => playClip(socket, clip, { send: slowly }));
  return (request, socket) => {
    const answer = usual(request, socket);
    if (answer !== undefined) slowly(Buffer.from(answer, 'latin1'), socket);
    return undefined;
  };
}

/** Plays for a while, then does something else with the connection, on every connection anew. */
export function playsThen(
  clip: H264Clip,
  frames: number,
  then: (socket: Socket) => void,
): Behaviour {
  return wellBehaved(clip, {
    before: (index, socket) => {
      if (index < frames) return true;
      then(socket);
      return false;
    },
  });
}

/** From frame `from` on, one bit in `every` bytes of each picture is another one. */
export function flipsBits(clip: H264Clip, from: number, every: number): Behaviour {
  return wellBehaved(clip, {
    frame: (index) => {
      const unit = clip.units[index % clip.units.length]!;
      if (index < from) return unit;
      return unit.map((nal) => {
        if (!isSlice(nal)) return nal;
        const damaged = Buffer.from(nal);
        for (let at = 1 + (index % every); at < damaged.length; at += every) {
          damaged[at]! ^= 1 << (at % 8);
        }
        return damaged;
      });
    },
  });
}

/** From frame `from` on, every picture ends in its middle. */
export function cutsPictures(clip: H264Clip, from: number): Behaviour {
  return wellBehaved(clip, {
    frame: (index) => {
      const unit = clip.units[index % clip.units.length]!;
      if (index < from) return unit;
      return unit.map((nal) =>
        isSlice(nal) ? nal.subarray(0, Math.ceil(nal.length / (2 + (index % 7)))) : nal,
      );
    },
  });
}

/** Another clip every `frames` frames, in the same session. */
export function changesClip(clips: readonly H264Clip[], frames: number): Behaviour {
  return wellBehaved(clips[0]!, {
    frame: (index) => {
      const clip = clips[Math.floor(index / frames) % clips.length]!;
      return clip.units[(index % frames) % clip.units.length];
    },
  });
}

function repeat(socket: Socket, everyMs: number, act: () => void): void {
  const timer = setInterval(() => {
    if (socket.destroyed) clearInterval(timer);
    else if (socket.writableLength < 1024 * 1024) act();
  }, everyMs);
  socket.on('close', () => clearInterval(timer));
}
