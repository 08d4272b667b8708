import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** First byte of a packet among the requests: what viewers report (RTCP). */
const INTERLEAVED = 0x24;

/** What a hostile or broken camera does with a request: an answer, or something to the socket itself. */
export type Behaviour = (request: RtspRequest, socket: Socket) => string | undefined;

export interface RtspRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: ReadonlyMap<string, string>;
}

export interface RtspDouble extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly RtspRequest[];
  /** When each connection came (`performance.now()`). */
  readonly connections: readonly number[];
}

/** A camera that answers as it is told, on loopback. */
export async function startRtspDouble(behaviour: Behaviour, at = 0): Promise<RtspDouble> {
  const requests: RtspRequest[] = [];
  const connections: number[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections.push(performance.now());
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let unread: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      unread = Buffer.concat([unread, chunk]);
      for (let end = endOfFirst(unread); end > 0; end = endOfFirst(unread)) {
        const first = unread.subarray(0, end);
        unread = unread.subarray(end);
        if (first[0] === INTERLEAVED) continue;
        const request = parseRequest(first.toString('latin1'));
        requests.push(request);
        const answer = behaviour(request, socket);
        if (answer !== undefined) socket.write(answer, 'latin1');
      }
    });
  });
  server.listen(at, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `rtsp://127.0.0.1:${port}/cam`,
    requests,
    connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An RTSP response (RFC 2326, 7). */
export function response(
  request: RtspRequest,
  status: string,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): string {
  const lines = Object.entries({
    CSeq: request.headers.get('cseq') ?? '0',
    ...headers,
    ...(body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
  }).map(([name, value]) => `${name}: ${value}`);
  return `RTSP/1.0 ${status}\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** Answers OPTIONS as a camera does, and everything else with one status. */
export function refuseWith(
  status: string,
  headers: Readonly<Record<string, string>> = {},
): Behaviour {
  return (request) =>
    request.method === 'OPTIONS'
      ? response(request, '200 OK', { Public: 'OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN' })
      : response(request, status, headers);
}

/** A session description with one stream. */
export function sdp(media: string, rtpmap: string): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=double',
    't=0 0',
    `m=${media} 0 RTP/AVP 96`,
    'c=IN IP4 0.0.0.0',
    `a=rtpmap:96 ${rtpmap}`,
    'a=control:stream=0',
    '',
  ].join('\r\n');
}

/** Plays along until PLAY was answered, then leaves the socket to `playing`. */
export function playThen(description: string, playing: (socket: Socket) => void): Behaviour {
  return (request, socket) => {
    switch (request.method) {
      case 'OPTIONS':
        return response(request, '200 OK', { Public: 'OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN' });
      case 'DESCRIBE':
        return response(
          request,
          '200 OK',
          { 'Content-Type': 'application/sdp', 'Content-Base': `${request.url}/` },
          description,
        );
      case 'SETUP':
        return response(request, '200 OK', {
          Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1',
          Session: '1',
        });
      case 'PLAY':
        setImmediate(() => playing(socket));
        return response(request, '200 OK', { Session: '1' });
      default:
        return response(request, '200 OK', { Session: '1' });
    }
  };
}

/** Where the first request or packet ends; 0 while it is incomplete. */
function endOfFirst(unread: Buffer): number {
  if (unread[0] !== INTERLEAVED) {
    const blank = unread.indexOf('\r\n\r\n');
    return blank < 0 ? 0 : blank + 4;
  }
  if (unread.length < 4) return 0;
  const end = 4 + unread.readUInt16BE(2);
  return end <= unread.length ? end : 0;
}

function parseRequest(head: string): RtspRequest {
  const [first = '', ...rest] = head.trimEnd().split('\r\n');
  const [method = '', url = ''] = first.split(' ');
  const headers = new Map(
    rest.map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const;
    }),
  );
  return { method, url, headers };
}
