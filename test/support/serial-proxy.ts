import { once } from 'node:events';
import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A way to an HTTP server that lets through one request at a time, however many come at once. */
export class SerialProxy implements AsyncDisposable {
  readonly url: string;
  readonly #close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  static async start(target: string): Promise<SerialProxy> {
    let turn: Promise<unknown> = Promise.resolve();
    const server = createServer((incoming, outgoing) => {
      const { method, url, headers } = incoming;
      turn = turn
        .then(async () => {
          const onward = ask(new URL(url!, target), { method, headers });
          incoming.pipe(onward);
          const [answer] = await once(onward, 'response');
          outgoing.writeHead(answer.statusCode, answer.headers);
          answer.pipe(outgoing);
          await once(answer, 'end');
        })
        .catch(() => outgoing.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return new SerialProxy(`http://127.0.0.1:${port}`, async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}
