import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SetupFailure } from './failure.mjs';

const INSTALL_FLAGS = [
  '-y',
  '-q',
  '--no-install-recommends',
  // A fresh machine's own unattended upgrade may hold the lock for a while.
  '-o',
  'DPkg::Lock::Timeout=180',
];

export function onPath(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/** ID of /etc/os-release: debian, ubuntu, ... */
export function distribution(file = '/etc/os-release') {
  if (!existsSync(file)) return 'unknown';
  return /^ID="?([^"\n]+)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 'unknown';
}

/** Those of `packages` that dpkg does not list as installed; none under SIGHTLINE_SKIP_PACKAGES=1. */
export function missingPackages(packages, env = process.env) {
  if (env.SIGHTLINE_SKIP_PACKAGES === '1') return [];
  const names = packages.map(({ name }) => name);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query has placeholders of the same look
  const query = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...names]);
  if (query.error !== undefined) throw noApt(packages);
  const installed = new Set(
    String(query.stdout)
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return packages.filter(({ name }) => !installed.has(name));
}

/** The command a person would type. */
export function installCommand(packages) {
  const sudo = process.getuid() === 0 ? '' : 'sudo ';
  return `${sudo}apt-get install --no-install-recommends ${packages.map(({ name }) => name).join(' ')}`;
}

export function describe(packages) {
  const width = Math.max(...packages.map(({ name }) => name.length));
  return packages.map(({ name, reason }) => `    ${name.padEnd(width)}  ${reason}`).join('\n');
}

/**
 * Stops when packages are missing and may not be installed: SIGHTLINE_NO_APT=1, no apt, or no way to become
 * root. Asks for sudo's password here, before several steps share the terminal.
 */
export function checkMayInstall(packages, env = process.env) {
  if (env.SIGHTLINE_NO_APT === '1') {
    throw new SetupFailure(`System packages are missing:\n${describe(packages)}`, {
      remedy: `SIGHTLINE_NO_APT=1 is set, so nothing was installed. Install them yourself:\n    ${installCommand(packages)}`,
    });
  }
  if (!onPath('apt-get')) throw noApt(packages);
  if (process.getuid() === 0) return;
  if (!onPath('sudo')) {
    throw new SetupFailure(
      `System packages are missing, and there is no sudo:\n${describe(packages)}`,
      {
        remedy: `As root, run:\n    ${installCommand(packages)}`,
      },
    );
  }
  if (spawnSync('sudo', ['-n', 'true']).status === 0) return;
  if (process.stdin.isTTY && spawnSync('sudo', ['-v'], { stdio: 'inherit' }).status === 0) return;
  throw new SetupFailure(
    `System packages are missing, and sudo asks for a password:\n${describe(packages)}`,
    {
      remedy: `Run this in a terminal, then start again:\n    ${installCommand(packages)}`,
    },
  );
}

/** Installs `packages`; refreshes apt's lists only when they do not know them or are out of date. */
export async function install(packages, task) {
  const names = packages.map(({ name }) => name);
  const apt = (...args) => {
    const command = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args];
    return process.getuid() === 0
      ? task.run(command[0], command.slice(1))
      : task.run('sudo', ['-n', ...command]);
  };
  const installAll = () => apt('install', ...INSTALL_FLAGS, ...names);
  if (!allHaveCandidates(names)) {
    await apt('update', '-q');
    await installAll();
    return;
  }
  try {
    await installAll();
  } catch {
    await apt('update', '-q');
    await installAll();
  }
}

function allHaveCandidates(names) {
  const text = String(
    execFileSync('apt-cache', ['policy', ...names], { env: { ...process.env, LC_ALL: 'C' } }),
  );
  const candidates = text.split('\n').filter((line) => /^\s+Candidate: (?!\(none\))/.test(line));
  return candidates.length === names.length;
}

function noApt(packages) {
  return new SetupFailure(
    `This system has no apt, so Sightline cannot install what it needs:\n${describe(packages)}`,
    {
      remedy:
        'Debian 12, Ubuntu 22.04 and 24.04 are supported. Elsewhere use the Dockerfile, or install what your system ' +
        'calls these packages and set SIGHTLINE_SKIP_PACKAGES=1.',
    },
  );
}
