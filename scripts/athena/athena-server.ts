import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Execution, type StartInput } from './execution.ts';
import type { Trino } from './trino.ts';

/** Limits of the API (https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html). */
const LIMIT = { sql: 262_144, parameter: 1024, rows: 1000, token: [32, 128] as const };
const TARGET = 'AmazonAthena.';

interface Input extends StartInput {
  readonly QueryExecutionId?: string;
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

class Refused extends Error {}

/**
 * The part of Athena's API that queries take, in front of Trino. What concerns workgroups and saved queries goes to
 * `others`, a server that speaks the rest of it.
 */
export class AthenaServer implements AsyncDisposable {
  readonly url: string;
  readonly executions: readonly Execution[];
  readonly #close: () => Promise<void>;

  private constructor(url: string, executions: readonly Execution[], close: () => Promise<void>) {
    this.url = url;
    this.executions = executions;
    this.#close = close;
  }

  static async start(trino: Trino, others: string): Promise<AthenaServer> {
    const executions: Execution[] = [];
    const api = new Api(trino, others, executions);
    const server = createServer((request, response) => void api.answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return new AthenaServer(`http://127.0.0.1:${port}`, executions, async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

class Api {
  readonly #trino: Trino;
  readonly #others: string;
  readonly #executions: Execution[];

  constructor(trino: Trino, others: string, executions: Execution[]) {
    this.#trino = trino;
    this.#others = others;
    this.#executions = executions;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const target = String(request.headers['x-amz-target']);
    let status = 200;
    let answer: object;
    try {
      answer = await this.#do(target, body, String(request.headers.authorization));
    } catch (error) {
      status = error instanceof Refused ? 400 : 500;
      const type = error instanceof Refused ? 'InvalidRequestException' : 'InternalServerException';
      answer = { __type: type, message: (error as Error).message };
    }
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(answer));
  }

  async #do(target: string, body: string, authorization: string): Promise<object> {
    const input = JSON.parse(body) as Input;
    switch (target.replace(TARGET, '')) {
      case 'StartQueryExecution':
        await this.#checkWorkGroup(input.WorkGroup, authorization);
        return { QueryExecutionId: await this.#start(input) };
      case 'GetQueryExecution':
        return { QueryExecution: this.#execution(input).describe() };
      case 'StopQueryExecution':
        this.#execution(input).cancel();
        return {};
      case 'GetQueryResults':
        return this.#results(input);
      default:
        return this.#forward(target.replace(TARGET, ''), body, authorization);
    }
  }

  async #checkWorkGroup(name: string | undefined, authorization: string): Promise<void> {
    const body = JSON.stringify({ WorkGroup: name });
    const found = await this.#forward('GetWorkGroup', body, authorization);
    if (!('WorkGroup' in found) || !found.WorkGroup) throw new Refused('WorkGroup is not found.');
  }

  async #start(input: Input): Promise<string> {
    const { QueryString, ExecutionParameters = [], ClientRequestToken: token } = input;
    if (QueryString.length === 0 || QueryString.length > LIMIT.sql)
      throw new Refused('QueryString');
    if (token !== undefined && (token.length < LIMIT.token[0] || token.length > LIMIT.token[1])) {
      throw new Refused('ClientRequestToken');
    }
    if (ExecutionParameters.some(({ length }) => length === 0 || length > LIMIT.parameter)) {
      throw new Refused('Member must have length less than or equal to 1024');
    }
    const again = this.#executions.find((each) => each.input.ClientRequestToken === token);
    if (token !== undefined && again !== undefined) return again.id;
    const execution = new Execution(this.#trino, input);
    this.#executions.push(execution);
    const error = await execution.parsed;
    // Athena reads the text before there is an execution.
    if (error?.errorName === 'SYNTAX_ERROR') throw new Refused(error.message);
    return execution.id;
  }

  #results(input: Input): object {
    const { MaxResults = LIMIT.rows, NextToken = '0' } = input;
    if (MaxResults < 1 || MaxResults > LIMIT.rows) throw new Refused('MaxResults');
    const execution = this.#execution(input);
    if (execution.state !== 'SUCCEEDED') {
      throw new Refused(`Query did not finish successfully. Final query state: ${execution.state}`);
    }
    return execution.results(Number(NextToken), MaxResults);
  }

  #execution({ QueryExecutionId: id }: Input): Execution {
    const found = this.#executions.find((each) => each.id === id);
    if (found === undefined) throw new Refused(`QueryExecution ${id} was not found`);
    return found;
  }

  async #forward(action: string, body: string, authorization: string): Promise<object> {
    const response = await fetch(this.#others, {
      method: 'POST',
      headers: {
        ...{ 'x-amz-target': `${TARGET}${action}`, 'content-type': 'application/x-amz-json-1.1' },
        authorization,
      },
      body,
    });
    const answer = (await response.json()) as { message?: string; Message?: string };
    if (response.status >= 400) throw new Refused(answer.message ?? answer.Message ?? 'refused');
    return answer;
  }
}
