import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { ScriptCheckout } from './checkout.ts';

type Entry = [name: string, reason: string, limits?: { only: string }];
interface SystemPackages {
  RUN: Entry[];
  BUILD: Entry[];
  TEST: Entry[];
  DEEPSTREAM: Entry[];
  packagesFor(purpose: 'run' | 'test', distribution: string): { name: string; reason: string }[];
}

interface Stage {
  readonly name?: string;
  readonly instructions: readonly { keyword: string; text: string }[];
}
const { readDockerfile } = (await import(join(ROOT, 'scripts/docker/dockerfile.mjs'))) as {
  readDockerfile(file: string): { stages: Stage[] };
};
const { installedPackages } = (await import(join(ROOT, 'scripts/docker/lint-apt.mjs'))) as {
  installedPackages(text: string): string[];
};

/** What each stage of a Dockerfile installs, by its name; the last one has none. */
function packagesOf(dockerfile: string): Record<string, string[]> {
  const { stages } = readDockerfile(join(ROOT, dockerfile));
  return Object.fromEntries(
    stages.map(({ name = 'last', instructions }) => [
      name,
      instructions
        .filter(({ keyword }) => keyword === 'RUN')
        .flatMap(({ text }) => installedPackages(text))
        .sort(),
    ]),
  );
}

const names = (entries: Entry[]) => entries.map(([name]) => name).sort();

describe('system packages', () => {
  it('are listed once, each with its reason', async () => {
    using checkout = new ScriptCheckout();
    const lists = await checkout.load<SystemPackages>('setup/system-packages.mjs');
    const all = [...lists.RUN, ...lists.BUILD, ...lists.DEEPSTREAM, ...lists.TEST];
    assert.equal(new Set(names(all)).size, all.length);
    for (const [name, reason] of all) assert.ok(reason.length > 10, name);
  });

  it('leave chromium to the user on Ubuntu, where the package is a stub', async () => {
    using checkout = new ScriptCheckout();
    const { packagesFor } = await checkout.load<SystemPackages>('setup/system-packages.mjs');
    const has = (distribution: string) =>
      packagesFor('test', distribution).some(({ name }) => name === 'chromium');
    assert.equal(has('debian'), true);
    assert.equal(has('ubuntu'), false);
  });

  it('are the same in the Dockerfiles', async () => {
    using checkout = new ScriptCheckout();
    const lists = await checkout.load<SystemPackages>('setup/system-packages.mjs');
    const { RUN, BUILD, DEEPSTREAM } = lists;
    assert.deepEqual(packagesOf('Dockerfile'), { run: names(RUN), build: names(BUILD), last: [] });
    assert.deepEqual(packagesOf('Dockerfile.deepstream'), {
      node: [],
      build: names([...RUN, ...BUILD]),
      last: names([...RUN, ...DEEPSTREAM]),
    });
  });

  it('missing ones stop set-up under SIGHTLINE_NO_APT=1, with the reasons and the command', () => {
    using checkout = new ScriptCheckout();
    const PATH = checkout.program('dpkg-query', 'exit 1');
    checkout.program('apt-get', 'echo "apt-get ran" >&2; exit 1');
    const { status, stderr } = checkout.run('setup/main.mjs', [], { PATH, SIGHTLINE_NO_APT: '1' });
    assert.equal(status, 1);
    assert.match(stderr, /libprotozero-dev +writes protobuf in C\+\+/);
    assert.match(
      stderr,
      /apt-get install --no-install-recommends ca-certificates .*libprotozero-dev$/m,
    );
    assert.doesNotMatch(stderr, /apt-get ran/);
  });

  it('say what to do where there is no apt', () => {
    using checkout = new ScriptCheckout();
    const { status, stderr } = checkout.run('setup/main.mjs', [], { PATH: '/nowhere' });
    assert.equal(status, 1);
    assert.match(stderr, /has no apt, so Sightline cannot install what it needs/);
    assert.match(stderr, /SIGHTLINE_SKIP_PACKAGES=1/);
  });
});
