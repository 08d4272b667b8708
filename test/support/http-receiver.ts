import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export type Behaviour = (response: ServerResponse, request: ReceivedRequest) => void;

export const answer =
  (status: number, headers: Record<string, string> = {}): Behaviour =>
  (response) => {
    response.writeHead(status, headers).end();
  };

/** An HTTP server that keeps what it was sent and answers as it is told to. */
export class HttpReceiver {
  readonly requests: ReceivedRequest[] = [];
  /** Connections so far. */
  connections = 0;
  behave: Behaviour = answer(204);
  readonly port: number;

  private constructor(port: number) {
    this.port = port;
  }

  /** On 127.0.0.1; with `tls` over HTTPS. */
  static async start(context: TestContext, tls?: ServerOptions): Promise<HttpReceiver> {
    const server = tls === undefined ? createServer() : createSecureServer(tls);
    const sockets = new Set<Socket>();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new HttpReceiver((server.address() as AddressInfo).port);
    server.on('connection', (socket: Socket) => {
      receiver.connections++;
      sockets.add(socket);
      socket.on('error', () => undefined);
    });
    server.on('tlsClientError', () => undefined);
    server.on('request', async (request, response) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of request) chunks.push(chunk as Buffer);
      } catch {
        return;
      }
      const { method = '', url = '', headers } = request;
      const received = { method, path: url, headers, body: Buffer.concat(chunks) };
      receiver.requests.push(received);
      response.on('error', () => undefined);
      receiver.behave(response, received);
    });
    context.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return receiver;
  }
}
