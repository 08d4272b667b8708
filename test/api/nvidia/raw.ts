import { connect } from 'node:net';

/** Sends bytes and gives everything that comes back until the server closes. */
export function exchange(
  port: number,
  text: string | readonly string[],
  withinMs = 15_000,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`No end of the answer within ${withinMs} ms: ${Buffer.concat(chunks)}`));
    }, withinMs);
    socket.on('data', (chunk) => chunks.push(chunk));
    // A reset after the answer is no loss; one before it shows in the text.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString());
    });
    for (const part of typeof text === 'string' ? [text] : text) socket.write(part);
  });
}

/** A request as curl sends it. */
export function request(
  method: string,
  path: string,
  body?: string,
  headers: readonly string[] = [],
): string {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1:9000',
    'User-Agent: curl/7.88.1',
    ...(headers.some((line) => line.startsWith('Accept:')) ? [] : ['Accept: */*']),
    ...headers,
    ...(body === undefined
      ? []
      : [
          `Content-Length: ${Buffer.byteLength(body)}`,
          'Content-Type: application/x-www-form-urlencoded',
        ]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`;
}

/** The recorded form of every answer of a registered path. */
export function answer(body: string, statusLine = '200 OK', type = 'text/plain'): string {
  return [
    `HTTP/1.1 ${statusLine}`,
    'Access-Control-Allow-Origin: *',
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

/** The recorded body of a POST. */
export function result(status: string, reason: string): string {
  return `{\n\t"reason" : ${JSON.stringify(reason)},\n\t"status" : "HTTP/1.1 ${status}"\n}`;
}

export const OK = '200 OK';
export const BAD = '400 Bad Request';
export const FAILED = '500 Internal Server Error';
