import type { ConnectionOptions } from '@platformatic/kafka';
import { Secret } from '../../common/secret.ts';
import { readSinkFile, readTls } from '../tls.ts';
import type { ClusterSettings } from './cluster.ts';
import type { BrokerAddress } from './connection.ts';
import type { KafkaSinkSpec } from './spec.ts';

/** How to reach the cluster of a sink. @param baseDir where relative paths of files start */
export function clusterSettings(spec: KafkaSinkSpec, baseDir: string): ClusterSettings {
  return {
    clientId: spec.clientId,
    brokers: spec.brokers.map(toAddress),
    maxBatchBytes: spec.maxBatchBytes,
    options: connectionOptions(spec, baseDir),
  };
}

function toAddress(broker: string): BrokerAddress {
  const at = broker.lastIndexOf(':');
  return { host: broker.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(broker.slice(at + 1)) };
}

function connectionOptions(spec: KafkaSinkSpec, baseDir: string): () => Promise<ConnectionOptions> {
  const { id, tls, sasl, connectTimeoutMs, requestTimeoutMs } = spec;
  const password = sasl?.password === undefined ? undefined : new Secret(sasl.password);
  return async () => ({
    connectTimeout: connectTimeoutMs,
    requestTimeout: requestTimeoutMs,
    ...(tls === undefined ? {} : { tls: await readTls(tls, baseDir, id) }),
    ...(sasl === undefined
      ? {}
      : {
          sasl: {
            mechanism: sasl.mechanism,
            username: sasl.username,
            password: password?.reveal() ?? (await readPassword(sasl.passwordFile!, baseDir, id)),
          },
        }),
  });
}

async function readPassword(file: string, baseDir: string, sinkId: string): Promise<string> {
  const bytes = await readSinkFile(file, { baseDir, sinkId, what: 'password' });
  return bytes.toString('utf8').trimEnd();
}
