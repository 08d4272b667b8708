import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { type FauxqsServer, startFauxqs } from 'fauxqs';

/** A request as it came over the wire. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  /** `SendMessageBatch` and the like for SQS, empty for S3. */
  readonly action: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the proxy does with a request: answers itself, never answers, cuts the line, or (undefined) passes it on. */
export type Rule = (seen: Seen) => Answer | 'silence' | 'cut' | undefined;

/** The body of an SQS error as AWS sends it in the JSON protocol. */
export function sqsError(code: string, status = 400): Answer {
  return {
    status,
    body: JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message: code }),
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-query-error': `${code};Sender`,
    },
  };
}

export function s3Error(code: string, status: number): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  return { status, body, headers: { 'content-type': 'application/xml' } };
}

/** The emulator behind a proxy that enforces what it does not, and that a test can make fail. */
export class TestAws {
  readonly server: FauxqsServer;
  readonly seen: Seen[] = [];
  rule: Rule = () => undefined;
  endpoint = '';
  readonly #keys = new Set<string>();
  readonly #sockets = new Set<Socket>();

  private constructor(server: FauxqsServer) {
    this.server = server;
  }

  static async start(context: TestContext): Promise<TestAws> {
    const aws = new TestAws(await startFauxqs({ port: 0, host: '127.0.0.1', logger: false }));
    const proxy = createServer((incoming, response) => void aws.#handle(incoming, response));
    proxy.on('connection', (socket: Socket) => {
      aws.#sockets.add(socket);
      socket.once('close', () => aws.#sockets.delete(socket));
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    aws.endpoint = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    context.after(async () => {
      for (const socket of aws.#sockets) socket.destroy();
      proxy.close();
      await aws.server.stop();
    });
    return aws;
  }

  /** What a spec needs to reach it. */
  get client() {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    return { endpoint: this.endpoint, region: 'us-east-1', credentials };
  }

  /** Bodies and attributes of the messages in a queue. */
  messages(queue: string) {
    return this.server.inspectQueue(queue)!.messages.ready;
  }

  actions(action: string): Seen[] {
    return this.seen.filter((seen) => seen.action === action);
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const seen: Seen = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      action: String(incoming.headers['x-amz-target'] ?? '').split('.')[1] ?? '',
      headers: incoming.headers,
      body: Buffer.concat(chunks),
    };
    this.seen.push(seen);
    const answer = this.rule(seen) ?? this.#conditional(seen);
    if (answer === 'silence') return;
    if (answer === 'cut') incoming.socket.destroy();
    else if (answer !== undefined)
      response.writeHead(answer.status, answer.headers).end(answer.body);
    else this.#forward(seen, response);
  }

  /** S3 refuses to overwrite a key when asked to; the emulator does not. */
  #conditional(seen: Seen): Answer | undefined {
    if (seen.method !== 'PUT' || seen.action !== '') return undefined;
    const key = seen.path.split('?')[0]!;
    if (seen.headers['if-none-match'] === '*' && this.#keys.has(key)) {
      return s3Error('PreconditionFailed', 412);
    }
    this.#keys.add(key);
    return undefined;
  }

  #forward({ method, path, headers, body }: Seen, response: ServerResponse): void {
    const onward = request(
      { host: '127.0.0.1', port: this.server.port, method, path, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    onward.end(body);
  }
}
