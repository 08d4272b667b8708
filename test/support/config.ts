import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export const INFER = { model: 'centernet-320x320' };
export const IMAGES = { everyMs: 500, when: 'always' };

/** A server that keeps everything in the folder and writes to files alone; `more` overrides any key. */
export function fileConfig(folder: string, more: object = {}): object {
  return {
    dataDir: `${folder}/data`,
    http: { port: 0 },
    defaults: { infer: INFER, images: IMAGES },
    sinks: [{ id: 'files', type: 'file', dir: `${folder}/out` }],
    ...more,
  };
}
