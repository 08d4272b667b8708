import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Reply } from './answer.ts';

/** What a body may hold. */
export const MAX_BODY_BYTES = 1024 * 1024;
/** What is read of a larger one, so that the refusal arrives. */
const MAX_DISCARDED_BYTES = 8 * MAX_BODY_BYTES;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 256;
const NO_CACHE = [
  ...['Cache-Control', 'no-cache, no-store, must-revalidate, private, max-age=0'],
  ...['Expires', '0', 'Pragma', 'no-cache', 'Content-Type', 'text/plain; charset=utf-8'],
];

export interface TransportLimits {
  /** For a request's headers. ms */
  readonly headersMs: number;
  /** For all of a request. ms */
  readonly requestMs: number;
}

/**
 * An HTTP server whose answers look like civetweb's: headers in a fixed order and nothing else, one request a connection,
 * and the same bodies for what it refuses itself.
 */
export function createTransport(
  onRequest: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  { headersMs, requestMs }: TransportLimits,
): Server {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(1_000, headersMs),
      keepAlive: false,
    },
    (request, response) => void onRequest(request, response),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (!isTooLarge(request)) response.writeContinue();
    void onRequest(request, response);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (!socket.writable) return;
    const status =
      error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 408
        : error.code === 'HPE_HEADER_OVERFLOW'
          ? 431
          : 400;
    const note = status === 400 ? 'Bad request' : STATUS_CODES[status];
    const lines = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      ...pairs([...NO_CACHE, 'Date', new Date().toUTCString(), 'Connection', 'close']),
    ];
    socket.end(`${lines.join('\r\n')}\r\n\r\nError ${status}: ${STATUS_CODES[status]}\n${note}`);
  });
  return server;
}

export function send(response: ServerResponse, reply: Reply): void {
  const { status, contentType, body, afterwards } = reply;
  const bytes = Buffer.from(body);
  if (afterwards !== undefined) response.once('close', afterwards);
  write(response, status, [
    ...['Access-Control-Allow-Origin', '*', 'Content-Type', contentType],
    ...['Content-Length', String(bytes.length)],
    ...(status === 401 ? ['WWW-Authenticate', 'Bearer'] : []),
    ...['Connection', 'close'],
  ]);
  response.end(bytes);
}

/** As civetweb refuses: no length, the end of the connection ends the body. */
export function sendError(response: ServerResponse, status: 404 | 405, note: string): void {
  // Otherwise Node would chunk it.
  response.useChunkedEncodingByDefault = false;
  write(response, status, [...NO_CACHE, 'Date', new Date().toUTCString(), 'Connection', 'close']);
  response.end(`Error ${status}: ${STATUS_CODES[status]}\n${note}`);
}

function write(response: ServerResponse, status: number, headers: readonly string[]): void {
  response.sendDate = false;
  response.writeHead(status, STATUS_CODES[status], [...headers]);
}

function pairs(flat: readonly string[]): string[] {
  return flat.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${flat[at + 1]}`] : []));
}

function isTooLarge(request: IncomingMessage): boolean {
  return Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES;
}

/**
 * The body of a request: empty without a Content-Length, as civetweb's handlers read it (a chunked one is read and thrown
 * away). Undefined for one that is too large.
 */
export async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const wanted = request.headers['content-length'] !== undefined;
  const waits = request.headers.expect !== undefined;
  if (isTooLarge(request) && waits) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // A client that is still sending would not see the answer of a closed connection.
    if (bytes > MAX_DISCARDED_BYTES) return undefined;
    if (wanted && bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (bytes > MAX_BODY_BYTES) return undefined;
  return Buffer.concat(chunks).toString();
}
