import { access, constants, mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { ROOT } from '../../common/paths.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const NODE_FLOOR: readonly [number, number] = [20, 19];
const DISK_FAIL_BYTES = 256 * 1024 ** 2;
const DISK_WARN_BYTES = 2 * 1024 ** 3;

export async function checkNode(execPath = process.execPath): Promise<Finding[]> {
  const version = process.versions.node;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const current = major > NODE_FLOOR[0] || (major === NODE_FLOOR[0] && minor >= NODE_FLOOR[1]);
  const findings = [
    current
      ? ok('node', `Node ${version}`)
      : fail(
          'node',
          `Node ${version} is too old: ${NODE_FLOOR.join('.')} is the oldest`,
          'Install a newer Node: https://nodejs.org/en/download',
        ),
  ];
  const header = join(dirname(dirname(execPath)), 'include', 'node', 'node.h');
  findings.push(
    (await exists(header))
      ? ok('headers', `Node headers: ${dirname(header)}`)
      : warn(
          'headers',
          `No Node headers beside ${execPath}: building downloads them`,
          'Install Node from nodejs.org, NodeSource or a version manager: those bring the headers',
        ),
  );
  return findings;
}

/** Room and rights in the folder that will hold the outbox and the files. */
export async function checkDataDir(dataDir: string): Promise<Finding[]> {
  const folder = await nearestExisting(dataDir);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const room = `${(free / 1024 ** 3).toFixed(1)} GiB free for ${dataDir}`;
  const mend = 'Free some space, or set dataDir in the configuration to a larger disk';
  const findings =
    free < DISK_FAIL_BYTES
      ? [fail('disk', `Only ${room}`, mend)]
      : [free < DISK_WARN_BYTES ? warn('disk', `Only ${room}`, mend) : ok('disk', room)];
  try {
    await rm(await mkdtemp(join(folder, '.sightline-doctor-')), { recursive: true });
    findings.push(ok('data', `${dataDir} can be written`));
  } catch (error) {
    findings.push(
      fail(
        'data',
        `${folder} cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)}), and ${dataDir} belongs there`,
        `sudo chown -R "$USER" ${folder}, or set dataDir in the configuration`,
      ),
    );
  }
  return findings;
}

export async function checkPort(host: string, port: number): Promise<Finding> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen({ host, port, exclusive: true }, resolve);
    });
    return ok('port', `Port ${port} on ${host} is free`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      return warn(
        'port',
        `Port ${port} on ${host} is in use: by a running Sightline, or by something else`,
        `See who has it (ss -ltnp 'sport = :${port}'), or set http.port in the configuration`,
      );
    }
    return fail(
      'port',
      `Cannot listen on ${host}:${port} (${code ?? String(error)})`,
      'Set http.host and http.port in the configuration to what this machine allows',
    );
  } finally {
    server.close();
  }
}

/** Frames carry wall-clock times, so a clock that lost its battery would spoil them (and every signed request). */
export async function checkClock(nowMs = Date.now()): Promise<Finding> {
  const { mtimeMs } = await stat(join(ROOT, 'package.json'));
  if (nowMs >= mtimeMs) return ok('clock', `The clock says ${new Date(nowMs).toISOString()}`);
  return fail(
    'clock',
    `The clock says ${new Date(nowMs).toISOString()}, which is before Sightline's files were written`,
    'sudo timedatectl set-ntp true, or set the time by hand',
  );
}

export async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}

async function nearestExisting(path: string): Promise<string> {
  return (await exists(path)) || path === dirname(path) ? path : nearestExisting(dirname(path));
}
