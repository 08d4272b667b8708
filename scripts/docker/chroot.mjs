// Commands inside of the folder of a stage, as Docker would run them in a container.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of /etc/passwd and /etc/group of the stage: Docker looks there, too. `user` is `name`, `uid`, or either with `:group`. */
export function resolveUser(root, user) {
  const table = (file) =>
    readFileSync(join(root, 'etc', file), 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  const [who, group] = user.split(':');
  const entry = table('passwd').find(([name, , uid]) => name === who || uid === who);
  const uid = /^\d+$/.test(who) ? Number(who) : Number(entry?.[2]);
  if (Number.isNaN(uid)) throw new Error(`There is no user ${who} in the stage`);
  const groups = table('group');
  if (group !== undefined) {
    const found = groups.find(([name, , gid]) => name === group || gid === group);
    const gid = /^\d+$/.test(group) ? Number(group) : Number(found?.[2]);
    if (Number.isNaN(gid)) throw new Error(`There is no group ${group} in the stage`);
    return { uid, gid, groups: [], home: entry?.[5] ?? '/' };
  }
  return {
    uid,
    gid: Number(entry?.[3] ?? 0),
    groups: groups
      .filter(([, , , members]) => entry !== undefined && members?.split(',').includes(entry[0]))
      .map(([, , gid]) => Number(gid)),
    home: entry?.[5] ?? '/',
  };
}

/** The words that run `command` in the stage: `chroot ... env -i ... command`. */
export function chrootWords({ root, env, workdir, user }, command) {
  const { uid, gid, groups, home } = resolveUser(root, user);
  const variables = { HOME: home, ...env };
  return [
    'chroot',
    `--userspec=${uid}:${gid}`,
    `--groups=${groups.join(',')}`,
    root,
    ...['/usr/bin/env', '-i', '-C', workdir],
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    ...command,
  ];
}

const running = new Set();
const MOUNTS = 'mount --bind /dev "$ROOT/dev" && mount -t proc proc "$ROOT/proc"';

/**
 * Starts words made by `chrootWords` in namespaces of their own: nothing stays mounted or running when they end.
 * `alone` also takes the network away: there is a loopback, with every port free.
 */
export function spawnIn(root, words, { alone = false, stdio }) {
  const network = alone ? 'ip link set lo up && ' : '';
  const child = spawn(
    'unshare',
    [
      ...['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child'],
      ...(alone ? ['--net'] : []),
      ...['sh', '-c', `${network}${MOUNTS} && exec "$@"`, 'sh', ...words],
    ],
    { stdio, env: { ...process.env, ROOT: root } },
  );
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Ends what runs in a stage; with its first process all others of its namespace end. */
export function killAll() {
  for (const child of running) child.kill('SIGKILL');
}

/** Runs words made by `chrootWords` beside a process of `spawnIn`, in its namespaces. */
export function spawnBeside(pid, words, { stdio }) {
  return spawn('nsenter', [`--target=${pid}`, '--mount', '--net', '--pid', ...words], { stdio });
}

/** The process that `unshare --fork` started; undefined while there is none. */
export function childOf(pid) {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? undefined : Number(text.split(' ')[0]);
}
