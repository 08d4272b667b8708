import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Cleanup } from './cleanup.ts';

/** Listens on 127.0.0.1 and does to each connection what a test tells it to, once for each piece that begins a request. */
export class TcpServer {
  readonly port: number;
  behave: (socket: Socket) => void = () => undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(context: Cleanup): Promise<TcpServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const own = new TcpServer((server.address() as AddressInfo).port);
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        if (chunk.includes('POST ')) own.behave(socket);
      });
    });
    context.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return own;
  }
}
