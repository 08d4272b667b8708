import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Table {
  readonly StorageDescriptor?: { NumberOfBuckets?: number };
}

/**
 * A way to moto's Glue with what Trino counts on: tables tell their number of buckets, and there are no statistics of
 * columns (moto has no such calls).
 */
export class GlueDefaults implements AsyncDisposable {
  readonly url: string;
  readonly #close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  static async start(target: string): Promise<GlueDefaults> {
    const server = createServer(async (incoming, outgoing) => {
      try {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(chunk as Buffer);
        if (String(incoming.headers['x-amz-target']).includes('ColumnStatistics')) {
          outgoing.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
          outgoing.end('{"ColumnStatisticsList":[],"Errors":[]}');
          return;
        }
        const kept = ['x-amz-target', 'content-type', 'authorization'] as const;
        const headers = Object.fromEntries(
          kept.map((name) => [name, String(incoming.headers[name])]),
        );
        const answer = await fetch(target, {
          method: 'POST',
          headers,
          body: Buffer.concat(chunks),
        });
        const text = await answer.text();
        outgoing.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' });
        outgoing.end(withDefaults(text));
      } catch {
        outgoing.destroy();
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return new GlueDefaults(`http://127.0.0.1:${port}`, async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

function withDefaults(text: string): string {
  if (!text.startsWith('{')) return text;
  const answer = JSON.parse(text) as { Table?: Table; TableList?: readonly Table[] };
  for (const { StorageDescriptor: stored } of [answer.Table ?? [], answer.TableList ?? []].flat()) {
    if (stored !== undefined) stored.NumberOfBuckets ??= 0;
  }
  return JSON.stringify(answer);
}
