import mqtt from 'mqtt';
import { SightlineError } from '../../common/errors.ts';
import { redactUrl } from '../../common/redact-url.ts';
import { fromMqtt } from '../../consumer/index.ts';
import type { MqttSinkSpec } from '../../sinks/mqtt/spec.ts';
import { readTls } from '../../sinks/tls.ts';
import { Incoming } from './incoming.ts';
import type { Reader, ReadOptions } from './tail.ts';

/** Subscribes with an id of its own; the broker serves everybody else as before. */
export async function* followMqtt(spec: MqttSinkSpec, options: ReadOptions): Reader {
  const { url, protocolVersion, connectTimeoutMs, username, password, tls } = spec;
  const what = `MQTT broker ${redactUrl(url)}`;
  const client = mqtt.connect(url, {
    protocolVersion,
    connectTimeout: connectTimeoutMs,
    reconnectPeriod: 0,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : await readTls(tls, options.baseDir, spec.id)),
  });
  const incoming = new Incoming(options);
  let failure: Error | undefined;
  client.on('error', (error) => {
    failure = error;
  });
  client.on('close', () => {
    const reason = failure?.message ?? 'it closed the connection';
    incoming.fail(new SightlineError('SL_SINK_UNAVAILABLE', `Lost the ${what}: ${reason}`));
  });
  client.on('message', (topic, payload, packet) => {
    incoming.take(topic, () => fromMqtt(payload, packet));
  });
  try {
    const connected = new Promise<void>((done) => client.once('connect', () => done()));
    await Promise.race([connected, incoming.failed]);
    const filter = topicFilter(spec.topic);
    await client.subscribeAsync(filter, { qos: 0 });
    options.tell(`Subscribed to ${filter} at ${what}`);
    yield* incoming.records();
  } finally {
    client.end(true);
  }
}

/** A level that is filled in becomes one that matches everything. */
export function topicFilter(template: string): string {
  return template
    .split('/')
    .map((level) => (level.includes('{') ? '+' : level))
    .join('/');
}
