// Trino for `npm run check:athena`: its jars and the Hive plugin from Maven Central, in .cache/trino. 300 MB.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../setup/paths.mjs';

const TRINO = join(ROOT, '.cache', 'trino-435');
const LIB = join(TRINO, 'lib');
const CLASSES = join(TRINO, 'classes');
/** A folder a plugin. */
export const PLUGINS = join(TRINO, 'plugin');
const HERE = join(ROOT, 'scripts', 'athena');
const POM = join(HERE, 'trino.pom.xml');
const OLDEST_JAVA = 17;
const ZIP = 'io.trino:trino-hive:435:zip';

/** Why Trino cannot be had or run here; undefined when it can. */
export async function whyNoTrino() {
  for (const [program, debian, asked = '-version'] of [
    ['javac', 'openjdk-17-jdk-headless'],
    ['java', 'openjdk-17-jdk-headless'],
    ['mvn', 'maven'],
    // Firehose takes the keys of its objects from the lines by queries in the language of jq.
    ['jq', 'jq', '--version'],
  ]) {
    const said = await promisify(execFile)(program, [asked]).catch(() => undefined);
    if (said === undefined) return `there is no ${program}: apt-get install ${debian}`;
    const version = /^javac (\d+)/.exec(said.stdout + said.stderr)?.[1];
    if (version !== undefined && Number(version) < OLDEST_JAVA) {
      return `Java ${version} is too old: Trino 435 needs ${OLDEST_JAVA}`;
    }
  }
  return undefined;
}

/** Fetches what is not there yet. Throws when Maven Central does not give it. */
export async function fetchTrino(note) {
  if (existsSync(CLASSES)) return;
  const scratch = `${TRINO}.new`;
  rmSync(TRINO, { recursive: true, force: true });
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  note('Fetching Trino from Maven Central (300 MB, once) ...');
  // Maven leaves a folder beside it.
  const pom = join(scratch, 'pom.xml');
  copyFileSync(POM, pom);
  const dependency = (goal, ...more) =>
    run('mvn', [
      ...['-q', '-B', '-f', pom],
      `org.apache.maven.plugins:maven-dependency-plugin:2.8:${goal}`,
      ...more,
    ]);
  await dependency(
    'copy-dependencies',
    ...['-DincludeScope=runtime', `-DoutputDirectory=${join(scratch, 'lib')}`],
  );
  const plugins = join(scratch, 'plugin');
  await dependency('unpack', `-Dartifact=${ZIP}`, `-DoutputDirectory=${plugins}`);
  renameSync(join(plugins, 'trino-hive-435'), join(plugins, 'hive'));
  const source = join(HERE, 'Launch.java');
  const jars = join(scratch, 'lib', '*');
  await run('javac', ['-cp', jars, '-d', join(scratch, 'classes'), source]);
  renameSync(scratch, TRINO);
}

/** Of `java`. */
export function javaArguments(config) {
  const jars = readdirSync(LIB).map((name) => join(LIB, name));
  return [
    ...['-Xmx1500m', '-XX:TieredStopAtLevel=1', '-Duser.timezone=UTC'],
    // That level alone has 48 MiB of room for code, which the code that Trino makes of queries fills.
    '-XX:ReservedCodeCacheSize=256m',
    ...['-Djdk.attach.allowAttachSelf=true', `-Dconfig=${config}`],
    ...['-cp', [CLASSES, ...jars].join(':'), 'Launch'],
  ];
}

async function run(program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
}
