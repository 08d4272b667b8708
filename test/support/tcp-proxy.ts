import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a client and a server on this machine, and loses what a test tells it to lose. */
export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #losesAnswerLongerThan: number | undefined;
  /** Answers lost so far. */
  lost = 0;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** Listens at `host`, any address of this machine. */
  static async start(
    port: number,
    targetPort: () => number,
    host = '127.0.0.1',
  ): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, port);
    server.on('connection', (client) => proxy.#join(client, targetPort()));
    server.listen(port, host);
    await once(server, 'listening');
    return proxy;
  }

  /** The answer to the next request of more than so many bytes is lost, and the connection with it. */
  loseNextAnswer(requestBytes: number): void {
    this.#losesAnswerLongerThan = requestBytes;
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cutAll();
    this.#server.close();
  }

  #join(client: Socket, port: number): void {
    const server = connect(port, '127.0.0.1');
    let requestBytes = 0;
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (chunk) => {
      requestBytes += chunk.byteLength;
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      const limit = this.#losesAnswerLongerThan;
      if (limit !== undefined && requestBytes > limit) {
        this.#losesAnswerLongerThan = undefined;
        this.lost++;
        client.destroy();
        return;
      }
      requestBytes = 0;
      client.write(chunk);
    });
  }
}
