import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { Sink } from '../../../src/common/delivery.ts';
import { EventBridgeSink } from '../../../src/sinks/eventbridge/sink.ts';
import { FirehoseSink } from '../../../src/sinks/firehose/sink.ts';
import { KinesisSink } from '../../../src/sinks/kinesis/sink.ts';
import { SqsSink } from '../../../src/sinks/sqs/sink.ts';
import { type Behaviour, HttpReceiver, type ReceivedRequest } from '../../support/http-receiver.ts';
import { eventRecord, frameRecord } from '../samples.ts';

/** Nothing of these may ever be shown. */
export const SECRETS = { accessKeyId: 'AKIDSHOWN', secretAccessKey: 'hidden-secret-1' };

type Reply = Readonly<Record<string, unknown>>;

/** One sink that asks the service for many entries at once, and how that answers. */
export interface Service {
  readonly name: string;
  readonly make: (endpoint: string) => Sink;
  readonly record: typeof frameRecord | typeof eventRecord;
  /** Of the answer. */
  readonly list: string;
  /** The request that puts entries. */
  readonly action: string;
  /** What a taken entry looks like; `at` is its place in the request. */
  readonly taken: (request: ReceivedRequest, at: number) => Reply;
  readonly entriesOf: (request: ReceivedRequest) => readonly unknown[];
}

const COMMON = { required: true, region: 'us-east-1', credentials: SECRETS } as const;

function listed(name: string) {
  return ({ body }: ReceivedRequest): readonly Reply[] =>
    (JSON.parse(body.toString()) as Record<string, readonly Reply[]>)[name] ?? [];
}

export const SERVICES: readonly Service[] = [
  {
    ...{ name: 'kinesis', action: 'PutRecords', list: 'Records', record: frameRecord },
    make: (endpoint) =>
      new KinesisSink({
        ...{ ...COMMON, endpoint, id: 'kinesis', type: 'kinesis', stream: 's', kinds: ['frame'] },
        ...{ format: 'protobuf', partitionKey: '{streamId}', ordering: 'relaxed' },
      }),
    taken: (_request, at) => ({ SequenceNumber: String(at), ShardId: 'shardId-0' }),
    entriesOf: listed('Records'),
  },
  {
    ...{ name: 'firehose', action: 'PutRecordBatch', list: 'RequestResponses' },
    record: frameRecord,
    make: (endpoint) =>
      new FirehoseSink({
        ...{ ...COMMON, endpoint, id: 'firehose', type: 'firehose', deliveryStream: 's' },
        ...{ kinds: ['frame'], rows: 'frames', rowsPerRecord: 1, concurrency: 1 },
        segmentRows: 'frames',
      }),
    taken: (_request, at) => ({ RecordId: `r${at}` }),
    entriesOf: listed('Records'),
  },
  {
    ...{ name: 'eventbridge', action: 'PutEvents', list: 'Entries', record: eventRecord },
    make: (endpoint) =>
      new EventBridgeSink({
        ...{ ...COMMON, endpoint, id: 'bus', type: 'eventbridge', bus: 'b', kinds: ['event'] },
        ...{ source: 'sightline', detailType: 'sightline.{kind}', concurrency: 1 },
      }),
    taken: (_request, at) => ({ EventId: `e${at}` }),
    entriesOf: listed('Entries'),
  },
  {
    ...{ name: 'sqs', action: 'SendMessageBatch', list: 'Successful', record: frameRecord },
    make: (endpoint) =>
      new SqsSink({
        ...{ ...COMMON, endpoint, id: 'sqs', type: 'sqs', queue: `${endpoint}/1/q` },
        ...{ kinds: ['frame'], format: 'protobuf', concurrency: 1 },
      }),
    // The SDK compares the digests of the bodies.
    taken: (request, at) => {
      const { Id = 'none', MessageBody = '' } = listed('Entries')(request)[at] ?? {};
      const digest = createHash('md5').update(String(MessageBody)).digest('hex');
      return { Id, MessageId: `m${at}`, MD5OfMessageBody: digest };
    },
    entriesOf: listed('Entries'),
  },
];

export const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Behaviour =>
  (response) => {
    const type = { 'content-type': 'application/x-amz-json-1.0', ...headers };
    response.writeHead(status, type).end(typeof body === 'string' ? body : JSON.stringify(body));
  };

/** Takes what it is sent. */
function good({ list, taken, entriesOf }: Service): Behaviour {
  return (response, request) => {
    const entries = entriesOf(request).map((_, at) => taken(request, at));
    json({ [list]: entries, FailedPutCount: 0 })(response, request);
  };
}

const FACTS = json({ Attributes: { MaximumMessageSize: '1048576' } });

/** A server that answers what puts entries as it is told to, and a sink for it. */
export class HostileAws {
  readonly receiver: HttpReceiver;
  readonly sink: Sink;
  readonly #service: Service;
  /** Requests that put entries, since it was last told how to answer. */
  puts = 0;

  private constructor(receiver: HttpReceiver, sink: Sink, service: Service) {
    this.receiver = receiver;
    this.sink = sink;
    this.#service = service;
  }

  static async start(context: TestContext, service: Service): Promise<HostileAws> {
    const receiver = await HttpReceiver.start(context);
    const sink = service.make(`http://127.0.0.1:${receiver.port}`);
    context.after(() => sink.close());
    return new HostileAws(receiver, sink, service);
  }

  /** @param other how it answers what puts nothing: questions for the attributes of a queue */
  answer(behave: Behaviour, other = FACTS): void {
    this.puts = 0;
    this.receiver.behave = (response, request) => {
      const isPut = String(request.headers['x-amz-target']).endsWith(`.${this.#service.action}`);
      if (isPut) this.puts++;
      (isPut ? behave : other)(response, request);
    };
  }

  answerWell(other = FACTS): void {
    this.answer(good(this.#service), other);
  }
}
