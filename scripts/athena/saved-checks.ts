import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  GetNamedQueryCommand,
  ListNamedQueriesCommand,
  type NamedQuery,
} from '@aws-sdk/client-athena';
import { stringify } from 'yaml';
import { SAVED_QUERIES } from '../../src/query/saved.ts';
import { queryCommand } from '../../src/services/query/command.ts';
import { hourOf } from './data.ts';
import { comparable, type World } from './world.ts';

/** The saved queries of the workgroup, as an operator finds them there. */
export async function savedInAws(world: World): Promise<Map<string, string>> {
  const WorkGroup = world.warehouse.workGroup;
  const { NamedQueryIds = [] } = await world.client.send(
    new ListNamedQueriesCommand({ WorkGroup }),
  );
  const found = await Promise.all(
    NamedQueryIds.map((NamedQueryId) =>
      world.client.send(new GetNamedQueryCommand({ NamedQueryId })),
    ),
  );
  const queries = found.map(({ NamedQuery: query }) => query as NamedQuery);
  return new Map(queries.map(({ Name, QueryString }) => [Name!, QueryString!]));
}

export function checkSavedQueries(worldOf: () => World): void {
  describe('saved queries', () => {
    it('are the same in the workgroup and in the command', async () => {
      const inAws = await savedInAws(worldOf());
      for (const [name, { athena }] of Object.entries(SAVED_QUERIES))
        assert.equal(inAws.get(name), athena);
    });

    /** The parameters that a query takes. */
    function parametersOf(name: string): string[] {
      // Where data.ts recorded it.
      const atMs = String(worldOf().hours[1]! + 5000 + 1000);
      return name === 'recording-of-a-moment'
        ? ["gate'3", hourOf(worldOf().hours[1]!), atMs, atMs]
        : [];
    }

    for (const name of Object.keys(SAVED_QUERIES)) {
      it(`${name} by the command line, in Athena as here`, async () => {
        const config = join(worldOf().folder, 'server.yaml');
        const { endpoint: _, ...keys } = worldOf().moto.client;
        const { workGroup, database } = worldOf().warehouse;
        const dir = worldOf().pathOf('recent');
        writeFileSync(
          config,
          stringify({
            dataDir: join(worldOf().folder, 'data'),
            sinks: [{ id: 'files', type: 'file', dir, formats: ['parquet'] }],
            query: {
              timeoutMs: 60_000,
              athena: { workGroup, database, endpoint: worldOf().server.url, ...keys },
            },
          }),
        );
        const ask = async (athena: boolean) => {
          const lines: string[] = [];
          const io = {
            signal: new AbortController().signal,
            print: (line: string) => void lines.push(line),
            tell: () => undefined,
          };
          const param = parametersOf(name);
          await queryCommand(undefined, { config, format: 'json', saved: name, athena, param }, io);
          return lines.map((line) => Object.entries(JSON.parse(line) as object).flat());
        };
        const [there, here] = [await ask(true), await ask(false)];
        assert.ok(there.length > 0);
        assert.deepEqual(comparable(there), comparable(here));
      });
    }
  });
}
