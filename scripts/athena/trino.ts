import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../src/common/paths.ts';
import { freePort } from '../../test/support/config.ts';
import { until } from '../../test/support/wait.ts';

const { javaArguments, PLUGINS } = (await import(join(ROOT, 'scripts/athena/fetch.mjs'))) as {
  javaArguments(config: string): string[];
  readonly PLUGINS: string;
};
const START_LIMIT_MS = 120_000;
/** The catalogue's name in Athena; Trino has names in small letters. */
export const CATALOG = 'awsdatacatalog';

/** A page of Trino's answer (https://trino.io/docs/435/develop/client-protocol.html). */
export interface TrinoPage {
  readonly id: string;
  readonly nextUri?: string;
  readonly columns?: readonly TrinoColumn[];
  readonly data?: readonly (readonly unknown[])[];
  readonly updateType?: string;
  readonly stats: { readonly state: string; readonly physicalInputBytes?: number };
  readonly error?: TrinoError;
}

export interface TrinoColumn {
  readonly name: string;
  readonly type: string;
  readonly typeSignature: TypeSignature;
}

export interface TypeSignature {
  readonly rawType: string;
  readonly arguments: readonly { readonly kind: string; readonly value: unknown }[];
}

export interface TrinoError {
  readonly message: string;
  readonly errorName: string;
  readonly errorType: string;
}

/** Trino as a child process: coordinator and worker in one, with the Hive connector over Glue and S3. */
export class Trino {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  /**
   * @param folder for its files, which the caller removes
   * @param glue URL of a server that speaks Glue
   * @param s3 URL of one that speaks S3
   */
  static async start(folder: string, glue: string, s3: string): Promise<Trino> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const keys = (prefix: string) => [
      `${prefix}aws-access-key=check`,
      `${prefix}aws-secret-key=check`,
    ];
    const catalog = [
      'connector.name=hive',
      'hive.metastore=glue',
      `hive.metastore.glue.endpoint-url=${glue}`,
      'hive.metastore.glue.region=us-east-1',
      ...keys('hive.metastore.glue.'),
      'hive.partition-projection-enabled=true',
      'hive.non-managed-table-writes-enabled=true',
      'hive.security=allow-all',
      'fs.hadoop.enabled=false',
      'fs.native-s3.enabled=true',
      `s3.endpoint=${s3}`,
      's3.region=us-east-1',
      's3.path-style-access=true',
      ...keys('s3.'),
    ];
    const config = [
      'coordinator=true',
      'node-scheduler.include-coordinator=true',
      'node.environment=check',
      'node.id=one',
      'node.internal-address=127.0.0.1',
      `plugin.dir=${PLUGINS}`,
      `catalog.config-dir=${join(folder, 'catalog')}`,
      `http-server.http.port=${port}`,
      `discovery.uri=${url}`,
      'query.max-memory=512MB',
      'query.max-memory-per-node=512MB',
      'task.concurrency=2',
    ];
    mkdirSync(join(folder, 'catalog'), { recursive: true });
    writeFileSync(join(folder, 'catalog', `${CATALOG}.properties`), `${catalog.join('\n')}\n`);
    writeFileSync(join(folder, 'config.properties'), `${config.join('\n')}\n`);
    const log = join(folder, 'trino.log');
    const out = openSync(log, 'w');
    const java = javaArguments(join(folder, 'config.properties'));
    const child = spawn('java', java, { cwd: folder, stdio: ['ignore', out, out] });
    await until('Trino answers', START_LIMIT_MS, async () => {
      if (child.exitCode !== null) return true;
      const { starting } = (await (await fetch(`${url}/v1/info`)).json()) as { starting: boolean };
      return !starting;
    });
    if (child.exitCode !== null) {
      throw new Error(`Trino ended: ${readFileSync(log, 'utf8').slice(-4000)}`);
    }
    return new Trino(url, child);
  }

  /**
   * The pages of a statement. Who stops asking for them cancels it.
   * @param more headers
   */
  async *pages(
    sql: string,
    more: Readonly<Record<string, string>> = {},
  ): AsyncGenerator<TrinoPage> {
    const headers = {
      ...{ 'x-trino-user': 'check', 'x-trino-time-zone': 'UTC', 'x-trino-catalog': CATALOG },
      // Without it times have three digits whatever their type says.
      'x-trino-client-capabilities': 'PARAMETRIC_DATETIME',
      ...more,
    };
    const first = await fetch(`${this.url}/v1/statement`, { method: 'POST', body: sql, headers });
    let page = await pageOf(first);
    try {
      for (;;) {
        yield page;
        if (page.nextUri === undefined) return;
        page = await pageOf(await fetch(page.nextUri, { headers }));
      }
    } finally {
      if (page.nextUri !== undefined) await fetch(page.nextUri, { method: 'DELETE', headers });
    }
  }

  /** All rows of a statement; throws when it fails. */
  async run(sql: string, schema = 'default'): Promise<(readonly unknown[])[]> {
    const rows: (readonly unknown[])[] = [];
    for await (const { error, data = [] } of this.pages(sql, { 'x-trino-schema': schema })) {
      if (error !== undefined) throw new Error(`${error.errorName}: ${error.message}\n${sql}`);
      rows.push(...data);
    }
    return rows;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}

async function pageOf(response: Response): Promise<TrinoPage> {
  if (!response.ok) throw new Error(`Trino answers ${response.status}: ${await response.text()}`);
  const text = await response.text();
  // Whole numbers that JSON.parse would round become texts. What stands in quotes is passed over.
  const exact = text.replace(/"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g, (part) =>
    part.startsWith('"') ? part : `"${part}"`,
  );
  return JSON.parse(exact) as TrinoPage;
}
