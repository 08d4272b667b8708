import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A proxy for HTTP_PROXY that takes every request to one address, whatever host it names: the provider asks for the tags of
 * a bucket at `<account>.<host>`, which no name server knows. Hosts that are loopback by themselves go around it.
 */
export async function startAnyHostProxy(port: number): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((incoming, answer) => {
    // By hand: an account before an address is no host that URL takes.
    const path = incoming.url?.replace(/^http:\/\/[^/]*/, '') || '/';
    const headers = { ...incoming.headers, host: `127.0.0.1:${port}` };
    const options = { host: '127.0.0.1', port, method: incoming.method, headers, path };
    const outgoing = request(options, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    outgoing.on('error', () => answer.destroy());
    incoming.pipe(outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
