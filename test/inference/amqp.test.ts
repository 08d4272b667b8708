import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { AmqpSink } from '../../src/sinks/amqp/sink.ts';
import { amqpSpec } from '../sinks/amqp-spec.ts';
import { NO_LIMIT, statuses } from '../sinks/samples.ts';
import { freePort } from '../support/config.ts';
import { readFrames } from '../support/delivered.ts';
import { installFixedModel } from '../support/fixed-model.ts';
import { InferProcess } from '../support/infer-process.ts';
import { noRabbitMq, RabbitMq } from '../support/rabbitmq.ts';
import { temporaryFolder } from '../support/server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/wait.ts';
import { type ImageFacts, imageOf, jpegs } from './pictures.ts';
import { startInference } from './world.ts';

/** One for all tests of this file: it takes seconds to start. */
let broker: Promise<RabbitMq> | undefined;
const startBroker = (): Promise<RabbitMq> => {
  broker ??= RabbitMq.start();
  return broker;
};
after(async () => (await broker)?.close());

/** The receiver's sink, and how it fills the queues. */
function startSink(context: TestContext, { url }: RabbitMq) {
  const sink = new AmqpSink(amqpSpec({ url, kinds: ['image'] }), '/');
  context.after(() => sink.close());
  return async (facts: readonly ImageFacts[]): Promise<void> => {
    const batch = facts.map((each, seq) => ({ ...imageOf(each), seq }));
    await until('the broker has them', 30_000, async () => {
      const results = statuses(await sink.deliver(batch, NO_LIMIT));
      return results.every((status) => status === 'accepted');
    });
  };
}

test('frames of a RabbitMQ queue, also of one that goes and comes back', {
  skip: noRabbitMq,
}, async (context) => {
  await using folder = await temporaryFolder();
  const broker = await startBroker();
  const port = await freePort();
  let proxy = await TcpProxy.start(port, () => broker.port);
  context.after(() => proxy.close());
  await broker.createQueue('frames', 'sightline.images.#');
  await broker.createQueue('poison', '', 'amq.fanout');
  const fill = startSink(context, broker);
  const [data] = await jpegs(1);
  const frames = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({ sequence: from + index, data: data! }));
  const { modelsDir, model } = await installFixedModel(folder.path);
  await using world = await startInference(join(folder.path, 'infer'), {
    modelsDir,
    queue: {
      ...{ type: 'amqp', url: `amqp://127.0.0.1:${port}`, password: 'guest', queue: 'frames' },
      deadLetterExchange: 'amq.fanout',
    },
    models: [{ infer: { model } }],
    limits: { maxReceives: 2 },
  });
  await fill([...frames(1, 5), { sequence: 9, data: Buffer.from('no picture') }]);
  await until('they are done', 30_000, () => {
    const { done, poison } = world.intake.counts;
    return done === 5 && poison === 1 && world.queue.counts.buried === 1;
  });

  proxy.close();
  await until('it notices', 30_000, () => world.queue.counts.errors > 0);
  proxy = await TcpProxy.start(port, () => broker.port);
  await fill(frames(10, 5));
  await until('the later ones, too', 60_000, () => world.intake.counts.done === 10);
  const ids = await until('all results are delivered', 30_000, async () => {
    const found = new Set((await world.frames()).map(({ recordId }) => recordId));
    return found.size === 10 && found;
  });
  assert.ok(ids.has('cam-1/s1/14'));
  assert.equal((await broker.drain('frames')).length, 0);
  const [letter] = await broker.drain('poison');
  assert.match(String(letter!.properties.headers?.['x-sightline-reason']), /as JPEG/);
});

test('a process that is killed under RabbitMQ loses nothing: what it held comes again at once', {
  skip: noRabbitMq,
}, async (context) => {
  await using folder = await temporaryFolder();
  const server = await startBroker();
  await server.createQueue('held', 'sightline.images.#');
  const fill = startSink(context, server);
  const [data] = await jpegs(1);
  const { modelsDir, model } = await installFixedModel(folder.path);
  const out = join(folder.path, 'out');
  const config = {
    modelsDir,
    queue: { type: 'amqp', url: server.url, password: 'guest', queue: 'held' },
    models: [{ infer: { model } }],
    sinks: [{ id: 'files', type: 'file', dir: out, formats: ['ndjson'], maxWaitMs: 100 }],
  };
  const count = 200;
  const cameras = 4;
  await fill(
    Array.from({ length: count }, (_, index) => ({
      camera: `cam-${index % cameras}`,
      ...{ sequence: Math.floor(index / cameras), data: data! },
    })),
  );
  await using first = await InferProcess.start(folder.path, config);
  const before = await until('it is at work', 30_000, async () => {
    const status = await first.status();
    return status !== undefined && status.frames.done > 0 && status;
  });
  await first.end('SIGKILL');
  assert.ok(before.frames.done < count, 'there was work left');

  await using second = await InferProcess.start(folder.path, config);
  const ids = await until('every frame has its result', 60_000, async () => {
    const found = new Set((await readFrames(out)).map(({ recordId }) => recordId));
    return found.size === count && found;
  });
  assert.ok(ids.has(`cam-0/s1/${count / cameras - 1}`));
  assert.equal((await second.status())?.frames.poison, 0);
  assert.equal(await second.end('SIGTERM'), 0, 'it ends by itself');
  assert.equal((await server.drain('held')).length, 0);
});
