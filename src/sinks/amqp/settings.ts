import { redactUrl } from '../../common/redact-url.ts';
import type { Secret } from '../../common/secret.ts';
import { readSinkFile, readTls } from '../tls.ts';
import type { ConnectOptions } from './connection.ts';
import type { AmqpSinkSpec } from './spec.ts';

/** What says how to reach a broker; `id` names the connection. */
export type BrokerSpec = Pick<
  AmqpSinkSpec,
  'id' | 'url' | 'username' | 'passwordFile' | 'heartbeatS' | 'connectTimeoutMs' | 'tls'
>;

/** How to reach a broker; its files are read now. @param baseDir where relative paths of files start */
export async function connectOptions(
  spec: BrokerSpec,
  password: Secret | undefined,
  baseDir: string,
): Promise<ConnectOptions> {
  const { id, username, passwordFile, heartbeatS, connectTimeoutMs, tls } = spec;
  const { protocol, hostname, port, pathname } = new URL(spec.url);
  const isTls = protocol === 'amqps:';
  const fromFile =
    passwordFile === undefined
      ? undefined
      : await readSinkFile(passwordFile, { baseDir, sinkId: id, what: 'password' });
  return {
    what: `AMQP broker ${redactUrl(spec.url)}`,
    server: {
      protocol: isTls ? 'amqps' : 'amqp',
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port) || (isTls ? 5671 : 5672),
      username,
      password: fromFile?.toString('utf8').trimEnd() ?? password?.reveal() ?? 'guest',
      heartbeat: heartbeatS,
      vhost: pathname.slice(1) || '/',
    },
    socket: {
      timeout: connectTimeoutMs,
      noDelay: true,
      clientProperties: { connection_name: `sightline ${id}` },
      ...(isTls && tls !== undefined ? await readTls(tls, baseDir, id) : {}),
    },
  };
}
