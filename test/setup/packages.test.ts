import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { ScriptCheckout } from './checkout.ts';

type Entry = [name: string, reason: string, limits?: { only: string }];
interface SystemPackages {
  RUN: Entry[];
  BUILD: Entry[];
  TEST: Entry[];
  packagesFor(purpose: 'run' | 'test', distribution: string): { name: string; reason: string }[];
}

/** What an apt-get install instruction of a Dockerfile names, in the stage that begins with `from`. */
function aptPackages(dockerfile: string, stage: string): string[] {
  const text = readFileSync(join(ROOT, dockerfile), 'utf8').replaceAll('\\\n', ' ');
  const body = text.split(/^FROM /m).find((part) => part.split('\n')[0]!.endsWith(stage));
  assert.ok(body !== undefined, `${dockerfile} has a stage ${stage}`);
  const install = /apt-get install -y --no-install-recommends ([^&\n]*)/.exec(body);
  assert.ok(install?.[1] !== undefined, `${dockerfile} installs packages in ${stage}`);
  return install[1].trim().split(/\s+/).sort();
}

const names = (entries: Entry[]) => entries.map(([name]) => name).sort();

describe('system packages', () => {
  it('are listed once, each with its reason', async () => {
    using checkout = new ScriptCheckout();
    const lists = await checkout.load<SystemPackages>('setup/system-packages.mjs');
    const all = [...lists.RUN, ...lists.BUILD, ...lists.TEST];
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
    const { RUN, BUILD } = await checkout.load<SystemPackages>('setup/system-packages.mjs');
    for (const dockerfile of ['Dockerfile', 'Dockerfile.deepstream']) {
      assert.deepEqual(aptPackages(dockerfile, 'AS run'), names(RUN));
      assert.deepEqual(aptPackages(dockerfile, 'AS build'), names(BUILD));
    }
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
