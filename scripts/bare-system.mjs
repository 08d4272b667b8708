// Bare Debian and Ubuntu systems in a folder, for proofs in a place where nothing of this machine is. Needs root.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';

// The scripts are debootstrap's own and know their mirrors; a new release may have none of its name yet.
const DEBIAN = { components: 'main', script: 'sid' };
const UBUNTU = {
  components: 'main,universe',
  script: 'gutsy',
  keyring: '/usr/share/keyrings/ubuntu-archive-keyring.gpg',
};
export const SUITES = { bookworm: DEBIAN, jammy: UBUNTU, noble: UBUNTU };
export const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

export function run(command, ...args) {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed (${status})`);
}

/** The smallest system that apt works in, plus the named packages, with this machine's way to the network. */
export function makeBareSystem(suite, root, packages = []) {
  const { components, script, keyring } = SUITES[suite];
  const unchecked = keyring !== undefined && !existsSync(keyring);
  if (unchecked) console.log(`${keyring} is not here: the base system's signature is not checked`);
  run(
    'debootstrap',
    ...(unchecked ? ['--no-check-gpg'] : []),
    ...['--variant=minbase', `--components=${components}`],
    ...(packages.length === 0 ? [] : [`--include=${packages.join(',')}`]),
    ...[suite, root, '', `/usr/share/debootstrap/scripts/${script}`],
  );
  // The network of this machine: its resolver, its certificates, apt's proxies.
  for (const path of ['/etc/resolv.conf', '/etc/hosts', CERTIFICATES, '/etc/apt/apt.conf.d']) {
    if (existsSync(path)) cpSync(path, join(root, path), { recursive: true, dereference: true });
  }
}
