import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import type { Cleanup } from '../support/cleanup.ts';
import type { Answer, Seen, ServiceLimits } from './aws-limits/limits.ts';
import { S3Limits } from './aws-limits/s3.ts';
import { SqsLimits } from './aws-limits/sqs.ts';

export { type Answer, type Seen, s3Error, sqsError } from './aws-limits/limits.ts';

/**
 * What the proxy does with a request: answers itself, never answers, cuts the line, passes it on and never answers
 * (`accept`) or cuts the line then (`lose`), or (undefined) passes it on.
 */
export type Rule = (seen: Seen) => Answer | 'silence' | 'cut' | 'accept' | 'lose' | undefined;

/** Stands before an emulator: enforces what that does not, and fails as a test wants. */
export class AwsProxy {
  readonly seen: Seen[] = [];
  rule: Rule = () => undefined;
  endpoint = '';
  /** Of the emulator. */
  readonly #port: number;
  readonly #limits: readonly ServiceLimits[];
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((incoming, response) => void this.#handle(incoming, response));

  constructor(port: number, limits: readonly ServiceLimits[]) {
    this.#port = port;
    this.#limits = limits;
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** @param port 0: any; `host` any address of this machine */
  async listen(port = 0, host = '127.0.0.1'): Promise<void> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    this.endpoint = `http://${host}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections end, also those kept alive; `listen` may follow. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** What a spec needs to reach it. */
  get client() {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    return { endpoint: this.endpoint, region: 'us-east-1', credentials };
  }

  actions(action: string): Seen[] {
    return this.seen.filter((seen) => seen.action === action);
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
    } catch {
      return; // The client went away in the middle of its request.
    }
    const seen: Seen = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      action: String(incoming.headers['x-amz-target'] ?? '').split('.')[1] ?? '',
      headers: incoming.headers,
      body: Buffer.concat(chunks),
    };
    this.seen.push(seen);
    const wish = this.rule(seen);
    if (wish === 'silence') return;
    if (wish === 'cut') {
      incoming.socket.destroy();
      return;
    }
    const isAnswer = typeof wish === 'object';
    const answer = isAnswer ? wish : this.#refuse(seen);
    if (answer !== undefined) {
      response.writeHead(answer.status, answer.headers).end(answer.body);
    } else if (wish === 'accept' || wish === 'lose') {
      this.#forward(seen, undefined, () => wish === 'lose' && incoming.socket.destroy());
    } else this.#forward(seen, response);
  }

  #refuse(seen: Seen): Answer | undefined {
    for (const limits of this.#limits) {
      const answer = limits.refuse(seen);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  #forward(seen: Seen, response: ServerResponse | undefined, then?: () => void): void {
    const { method, path, headers } = seen;
    const body = this.#limits.reduce(
      (bytes, limits) => limits.onward?.({ ...seen, body: bytes }) ?? bytes,
      seen.body,
    );
    const length = { 'content-length': String(body.byteLength) };
    const onwardHeaders = body === seen.body ? headers : { ...headers, ...length };
    const onward = request(
      { host: '127.0.0.1', port: this.#port, method, path, headers: onwardHeaders },
      (answer) => {
        const more = this.#answered(seen, answer.statusCode ?? 0);
        if (response === undefined) answer.resume().once('end', () => then?.());
        else void this.#passBack(seen, answer, more, response);
      },
    );
    onward.on('error', () => {
      this.#answered(seen, 0);
      response?.destroy();
    });
    onward.end(body);
  }

  async #passBack(
    seen: Seen,
    answer: IncomingMessage,
    more: Record<string, string>,
    response: ServerResponse,
  ): Promise<void> {
    const status = answer.statusCode ?? 502;
    const headers = { ...answer.headers, ...more };
    if (status !== 200 || this.#limits.every(({ rewrite }) => rewrite === undefined)) {
      response.writeHead(status, headers);
      answer.pipe(response);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    const body = this.#limits.reduce<Buffer>(
      (bytes, limits) => limits.rewrite?.(seen, bytes) ?? bytes,
      Buffer.concat(chunks),
    );
    const { 'transfer-encoding': _, ...plain } = headers;
    response.writeHead(status, { ...plain, 'content-length': String(body.byteLength) }).end(body);
  }

  #answered(seen: Seen, status: number): Record<string, string> {
    return Object.assign({}, ...this.#limits.map((limits) => limits.answered?.(seen, status)));
  }
}

/** S3 and SQS: the emulator behind the proxy. */
export class TestAws extends AwsProxy {
  readonly server: FauxqsServer;
  readonly s3: S3Limits;

  private constructor(server: FauxqsServer, s3: S3Limits) {
    super(server.port, [new SqsLimits(), s3]);
    this.server = server;
    this.s3 = s3;
  }

  static async start(context: Cleanup): Promise<TestAws> {
    const server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
    const aws = new TestAws(server, new S3Limits());
    await aws.listen();
    context.after(async () => {
      await aws.close();
      await server.stop();
    });
    return aws;
  }

  /** Bodies and attributes of the messages in a queue. */
  messages(queue: string) {
    return this.server.inspectQueue(queue)!.messages.ready;
  }
}
