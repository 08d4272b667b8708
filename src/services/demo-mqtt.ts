import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { SightlineError } from '../common/errors.ts';

/** An MQTT 3.1.1 broker in this process, on loopback. Any MQTT client may subscribe to it. */
export async function startDemoMqtt(port: number): Promise<AsyncDisposable> {
  const broker = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    broker.handle(socket);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening').catch((cause) => {
    throw new SightlineError(
      'SL_PORT_TAKEN',
      `Cannot start the demo's MQTT broker on port ${port}`,
      { cause },
    );
  });
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await new Promise<void>((resolve) => broker.close(resolve));
    },
  };
}
