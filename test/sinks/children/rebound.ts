import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AddressPolicy } from '../../../src/common/address-policy.ts';
import { toSightlineError } from '../../../src/common/errors.ts';
import { WebhookSink } from '../../../src/sinks/webhook/sink.ts';
import { eventRecord, NO_LIMIT } from '../samples.ts';

// Posts to a name whose address changes in the hosts file given; prints what became of each post and who was called.

const [hosts = ''] = process.argv.slice(2);
const NAME = 'hooks.example.test';
const ALLOWED = '127.0.0.2';
const FORBIDDEN = '127.0.0.1';

const calls = { allowed: 0, forbidden: 0 };
const listening = async (address: string, port: number, whose: keyof typeof calls) => {
  const handler: RequestListener = (_request, response) => {
    // The next post looks the name up again.
    response.writeHead(204, { connection: 'close' }).end();
  };
  const server = createServer(handler).listen(port, address);
  server.on('connection', () => calls[whose]++);
  await once(server, 'listening');
  return server;
};
const allowed = await listening(ALLOWED, 0, 'allowed');
const { port } = allowed.address() as AddressInfo;
const forbidden = await listening(FORBIDDEN, port, 'forbidden');

const sink = new WebhookSink(
  {
    ...{ id: 'hook', type: 'webhook', required: true, url: `http://${NAME}:${port}/` },
    ...{ kinds: ['event'], format: 'json', concurrency: 1, timeoutMs: 5000 },
  },
  { baseDir: '/', policy: new AddressPolicy({ allow: [`${ALLOWED}/32`] }) },
);
const said: string[] = [];
for (const addresses of [
  [ALLOWED],
  [FORBIDDEN],
  ['::ffff:127.0.0.1'],
  [FORBIDDEN, ALLOWED],
  ['169.254.169.254', ALLOWED],
  ['0.0.0.0'],
]) {
  writeFileSync(hosts, addresses.map((address) => `${address} ${NAME}\n`).join(''));
  const [result] = await sink.deliver([eventRecord(1)], NO_LIMIT);
  const error =
    result !== undefined && 'error' in result ? toSightlineError(result.error) : undefined;
  const isEgress = error?.message.includes('egress') === true;
  said.push(error === undefined ? 'accepted' : `${error.code}${isEgress ? ' egress' : ''}`);
}
await sink.close();
allowed.close();
forbidden.close();
process.stdout.write(JSON.stringify({ said, calls }));
