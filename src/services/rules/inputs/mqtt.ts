import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { SightlineError, toSightlineError } from '../../../common/errors.ts';
import { redactUrl } from '../../../common/redact-url.ts';
import { deferred } from '../../../common/waits.ts';
import { fromMqtt } from '../../../consumer/index.ts';
import { readTls } from '../../../sinks/tls.ts';
import type { ReadInput } from './run.ts';
import type { SpecOf } from './specs.ts';

/** The broker keeps the session, and what came meanwhile, for a day. */
const SESSION_S = 86_400;
/** MQTT's code for a subscription that was refused. */
const REFUSED = 0x80;

/** A durable session: what was not acknowledged comes again with the next connection. */
export const readMqtt: ReadInput<SpecOf<'mqtt'>> = async (spec, options) => {
  const { handle, signal, onConnected, onUnreadable, baseDir } = options;
  const what = `MQTT broker ${redactUrl(spec.url)}`;
  const ended = deferred<void>();
  ended.promise.catch(() => undefined);
  const client = mqtt.connect(spec.url, await settings(spec, baseDir));
  const onAbort = () => ended.resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    let failure: Error | undefined;
    client.on('error', (error) => {
      failure = error;
    });
    client.on('close', () => {
      const reason = failure?.message ?? 'it closed the connection';
      ended.reject(new SightlineError('SL_SINK_UNAVAILABLE', `Lost the ${what}: ${reason}`));
    });
    // The library sends the acknowledgement when the callback is called, and reads on afterwards: never, for a failure.
    client.handleMessage = (packet, done) => {
      const payload = Buffer.isBuffer(packet.payload)
        ? packet.payload
        : Buffer.from(packet.payload);
      handle(read(payload, packet as Parameters<typeof fromMqtt>[1])).then(
        () => done(),
        ended.reject,
      );
    };
    client.on('connect', () => {
      subscribe(client, spec.topic).then(onConnected, ended.reject);
    });
    await ended.promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    client.removeAllListeners('close');
    await client.endAsync(true).catch(() => undefined);
  }

  function read(payload: Buffer, packet: Parameters<typeof fromMqtt>[1]) {
    try {
      return fromMqtt(payload, packet);
    } catch (error) {
      onUnreadable(toSightlineError(error).message);
      return [];
    }
  }
};

async function subscribe(client: MqttClient, topic: string): Promise<void> {
  const [granted] = await client.subscribeAsync(topic, { qos: 1 });
  if (granted !== undefined && granted.qos < REFUSED) return;
  throw new SightlineError('SL_SINK_UNAUTHORIZED', `The broker refuses a subscription of ${topic}`);
}

async function settings(spec: SpecOf<'mqtt'>, baseDir: string): Promise<IClientOptions> {
  const { id, protocolVersion, clientId, username, password, tls, connectTimeoutMs } = spec;
  return {
    ...{ protocolVersion, connectTimeout: connectTimeoutMs, reconnectPeriod: 0, clean: false },
    clientId: clientId ?? `sightline-react-${id}`,
    ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: SESSION_S } } : {}),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : await readTls(tls, baseDir, id)),
  };
}
