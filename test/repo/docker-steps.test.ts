import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { temporaryFolder } from '../support/server.ts';

interface User {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly home: string;
}
type Pairs = readonly (readonly [string, string])[];

const { resolveUser } = (await import(join(ROOT, 'scripts/docker/chroot.mjs'))) as {
  resolveUser(root: string, user: string): User;
};
const { assignments, expand, readDockerfile } = (await import(
  join(ROOT, 'scripts/docker/dockerfile.mjs')
)) as {
  assignments(text: string): Pairs;
  expand(text: string, lookUp: (name: string) => string | undefined): string;
  readDockerfile(
    file: string,
    text: string,
  ): { stages: { base: string; name?: string; instructions: { json?: string[] }[] }[] };
};

describe('the dry run of a Dockerfile', () => {
  it('takes users and groups as Docker does', async () => {
    await using folder = await temporaryFolder();
    mkdirSync(join(folder.path, 'etc'));
    writeFileSync(
      join(folder.path, 'etc', 'passwd'),
      'root:x:0:0:root:/root:/bin/sh\nsightline:x:10001:10001::/home/sightline:/bin/sh\n',
    );
    writeFileSync(
      join(folder.path, 'etc', 'group'),
      'root:x:0:\nvideo:x:44:sightline\nrender:x:990:other,sightline\nsightline:x:10001:\n',
    );
    const whole = { uid: 10_001, gid: 10_001, groups: [44, 990], home: '/home/sightline' };
    assert.deepEqual(resolveUser(folder.path, 'sightline'), whole);
    // A number alone keeps the groups; a group of its own gives them up.
    assert.deepEqual(resolveUser(folder.path, '10001'), whole);
    assert.deepEqual(resolveUser(folder.path, '10001:video'), { ...whole, gid: 44, groups: [] });
    const unknown = { uid: 4711, gid: 0, groups: [], home: '/' };
    assert.deepEqual(resolveUser(folder.path, '4711'), unknown);
    assert.throws(() => resolveUser(folder.path, 'nobody'), /There is no user nobody/);
    assert.throws(() => resolveUser(folder.path, '0:nogroup'), /There is no group nogroup/);
  });

  it('puts variables in', () => {
    const lookUp = (name: string) => ({ A: '1', EMPTY: '' })[name];
    assert.equal(
      expand('$A #{A}x #{B:-two} #{EMPTY:-three} [$B]'.replaceAll('#', '$'), lookUp),
      '1 1x two three []',
    );
    assert.deepEqual(assignments('A=1 B="two words" C=\'3\' D'), [
      ['A', '1'],
      ['B', 'two words'],
      ['C', '3'],
      ['D', ''],
    ]);
  });

  it('reads stages, base images from arguments, and exec forms', () => {
    const { stages } = readDockerfile(
      'x',
      'ARG BASE=debian:12\nFROM $BASE AS one\nFROM one\nCMD ["a b", \\\n  "c"]\nENTRYPOINT x\n',
    );
    assert.deepEqual(
      stages.map(({ base, name }) => [base, name]),
      [
        ['debian:12', 'one'],
        ['one', undefined],
      ],
    );
    assert.deepEqual(
      stages[1]?.instructions.map(({ json }) => json),
      [['a b', 'c'], undefined],
    );
  });
});
