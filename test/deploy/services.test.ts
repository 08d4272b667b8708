import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { program } from '../support/optional.ts';
import { temporaryFolder } from '../support/server.ts';

const read = (...path: readonly string[]) => readFileSync(join(ROOT, 'deploy', ...path), 'utf8');

describe('deploy/systemd', () => {
  const analyze = program('systemd-analyze');
  const reason = analyze.startsWith('/nowhere/') && 'systemd-analyze is not here';
  const units = readdirSync(join(ROOT, 'deploy', 'systemd')).filter((name) =>
    /\.(?:service|timer)$/.test(name),
  );

  /** What systemd says of the units, with the programs of this machine. */
  async function complaints(edit = (text: string) => text): Promise<string> {
    await using folder = await temporaryFolder();
    const bin = join(folder.path, 'sightline.js');
    writeFileSync(bin, '');
    for (const name of units) {
      const text = edit(read('systemd', name))
        .replaceAll('/usr/bin/node', process.execPath)
        .replaceAll('/opt/sightline/bin/sightline.js', bin);
      writeFileSync(join(folder.path, name), text);
    }
    const instances = units.map((name) => join(folder.path, name.replace('@.', '@receive.')));
    const { stdout, stderr, status } = spawnSync(analyze, ['verify', '--man=no', ...instances], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    assert.notEqual(status, null);
    // Units of the system that it looks at, too, are none of ours.
    return `${stdout}${stderr}`
      .split('\n')
      .filter((line) => line.includes('sightline'))
      .join('\n');
  }

  it('is understood by systemd', { skip: reason }, async () => {
    assert.equal(await complaints(), '');
    const broken = await complaints((text) => text.replace('Restart=always', 'Restart=allways'));
    assert.match(broken, /restart specifier/);
  });

  it('is never given up, and has time to drain', () => {
    const unit = read('systemd', 'sightline@.service');
    for (const line of [
      'StartLimitIntervalSec=0',
      'Restart=always',
      'KillMode=mixed',
      'TimeoutStopSec=90',
    ]) {
      assert.ok(unit.split('\n').includes(line), line);
    }
  });
});

describe('deploy/ecs', () => {
  const facts: Readonly<Record<string, string>> = {
    SECRETS: '[]',
    RESOURCES: '[{ "type": "GPU", "value": "1" }]',
    CONFIG: JSON.stringify('dataDir: "/app/data"\n'),
  };
  const task = JSON.parse(
    read('ecs', 'task.json').replaceAll(
      /\$\{(\w+)\}/g,
      (_whole, name: string) => facts[name] ?? name,
    ),
  ) as {
    volumes: { name: string }[];
    containerDefinitions: {
      name: string;
      user: string;
      readonlyRootFilesystem: boolean;
      stopTimeout?: number;
      dependsOn?: { containerName: string }[];
      restartPolicy?: { restartAttemptPeriod: number };
      mountPoints: { sourceVolume: string; containerPath: string }[];
    }[];
  };
  const [config, sightline] = task.containerDefinitions;

  it('is JSON once its values are filled in, and mounts the volumes that it names', () => {
    const volumes = task.volumes.map(({ name }) => name);
    for (const { mountPoints, user, readonlyRootFilesystem } of task.containerDefinitions) {
      for (const { sourceVolume } of mountPoints) assert.ok(volumes.includes(sourceVolume));
      assert.equal(user, '1000:1000');
      assert.equal(readonlyRootFilesystem, true);
    }
    assert.equal(sightline?.dependsOn?.[0]?.containerName, config?.name);
  });

  it('keeps the data of each service in a volume of its own', () => {
    const data = sightline?.mountPoints.find(({ containerPath }) => containerPath === '/app/data');
    assert.equal(data?.sourceVolume, 'sightline-SERVICE');
  });

  it('gives a task time to drain, and starts it again in its place', () => {
    assert.ok((sightline?.stopTimeout ?? 0) >= 60 && (sightline?.stopTimeout ?? 0) <= 120);
    assert.equal(sightline?.restartPolicy?.restartAttemptPeriod, 60);
  });
});
