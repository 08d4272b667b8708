import { pipeline, type Readable, Transform } from 'node:stream';
import { NodeHttpHandler, type NodeHttpHandlerOptions } from '@smithy/node-http-handler';

type Handle = NodeHttpHandler['handle'];

/**
 * Speaks HTTP/1.1 with AWS (sessions of HTTP/2 have no time-out for connecting) and ends an answer that does not end by
 * itself: the SDK takes all of it into memory. Objects, which it hands on as they come, may have any size.
 */
export class BoundedHandler extends NodeHttpHandler {
  readonly #maxBytes: number;

  constructor(maxBytes: number, options: NodeHttpHandlerOptions) {
    super(options);
    this.#maxBytes = maxBytes;
  }

  override async handle(...[request, options]: Parameters<Handle>): ReturnType<Handle> {
    const { response } = await super.handle(request, options);
    // A body is never longer than its head says.
    const isShort = Number(response.headers['content-length'] ?? Number.NaN) <= this.#maxBytes;
    if (request.method !== 'GET' && !isShort)
      response.body = bounded(response.body, this.#maxBytes);
    return { response };
  }
}

function bounded(body: Readable, maxBytes: number): Readable {
  let bytes = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.byteLength;
      if (bytes <= maxBytes) done(null, chunk);
      else done(Object.assign(new Error(`above ${maxBytes} bytes`), { code: 'AnswerTooLong' }));
    },
  });
  // What is wrong with one is told to who reads the other.
  pipeline(body, limit, () => undefined);
  return limit;
}
