// Apache Kafka for the tests: its jars from Maven Central, a formatted storage folder to copy, and an archive of the
// classes that starting needs, which takes a third off the time it takes.
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { KAFKA, ROOT } from './paths.mjs';

export const KAFKA_POM = join(ROOT, 'scripts', 'setup', 'kafka-broker.pom.xml');
const LIB = join(KAFKA, 'lib');
const STORAGE = join(KAFKA, 'storage');
const ARCHIVE = join(KAFKA, 'classes.jsa');
/** Any UUID in base64. */
const CLUSTER_ID = 'c2lnaHRsaW5lLXRlc3RzMQ';
const JAVA_FLAGS = [
  '-Xmx256m',
  '-XX:TieredStopAtLevel=1',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
];
const WARM_UP_S = 20;
/** A user of the tests, who can prove the password in both ways of SCRAM. */
const USERS = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
  '--add-scram',
  `${mechanism}=[name=camera,password=camera-secret]`,
]);

export const KAFKA_OUTPUTS = [LIB, STORAGE, ARCHIVE];

export async function makeKafka(task) {
  rmSync(KAFKA, { recursive: true, force: true });
  mkdirSync(KAFKA, { recursive: true });
  await task.run('mvn', [
    ...['-q', '-B', '-f', KAFKA_POM, 'dependency:copy-dependencies', `-DoutputDirectory=${LIB}`],
  ]);
  const java = javaCommand();
  await task.run('java', [
    ...[...java, 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID],
    ...['-c', await writeProperties('format', STORAGE), ...USERS],
  ]);
  const scratch = join(KAFKA, 'warm-up');
  await task.run('cp', ['-r', STORAGE, scratch]);
  // It ends by a signal, so its status says nothing; whether it wrote the archive does.
  const warmUp = 'limit=$1; shift; timeout -s TERM "$limit" "$@"; test -s "$0"';
  await task.run('sh', [
    ...['-c', warmUp, ARCHIVE, String(WARM_UP_S), 'java', `-XX:ArchiveClassesAtExit=${ARCHIVE}`],
    ...[...java, 'kafka.Kafka', await writeProperties('warm-up', scratch)],
  ]);
  rmSync(scratch, { recursive: true, force: true });
}

/** The arguments before the class. The class path must stand as it did when the archive was made. */
export function javaCommand() {
  const jars = readdirSync(LIB)
    .sort()
    .map((name) => join(LIB, name));
  return [...JAVA_FLAGS, '-cp', jars.join(':')];
}

async function writeProperties(name, storage) {
  const [client, controller] = [await freePort(), await freePort()];
  const file = join(KAFKA, `${name}.properties`);
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controller}`,
    `listeners=PLAINTEXT://127.0.0.1:${client},CONTROLLER://127.0.0.1:${controller}`,
    'controller.listener.names=CONTROLLER',
    `log.dirs=${storage}`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
