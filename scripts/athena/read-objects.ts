import { once } from 'node:events';
import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A way to a server of S3 that notes which objects are read. */
export class ReadObjects implements AsyncDisposable {
  readonly url: string;
  readonly #keys: Set<string>;
  readonly #close: () => Promise<void>;

  private constructor(url: string, keys: Set<string>, close: () => Promise<void>) {
    this.url = url;
    this.#keys = keys;
    this.#close = close;
  }

  static async start(target: string): Promise<ReadObjects> {
    const keys = new Set<string>();
    const server = createServer((incoming, outgoing) => {
      const { method, url = '/', headers } = incoming;
      const [, , ...key] = decodeURIComponent(url.split('?')[0]!).split('/');
      if (method === 'GET' && key.join('') !== '') keys.add(key.join('/'));
      const onward = ask(new URL(url, target), { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on('error', () => outgoing.destroy());
      incoming.pipe(onward);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return new ReadObjects(`http://127.0.0.1:${port}`, keys, async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    });
  }

  /** Keys that were read since it was asked last, in order. */
  take(): string[] {
    const keys = [...this.#keys].sort();
    this.#keys.clear();
    return keys;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}
