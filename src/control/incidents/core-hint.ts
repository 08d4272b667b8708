import { readFileSync } from 'node:fs';

/** What the kernel does with the memory of a process that crashes, and the soft limit of its size ("0", "unlimited"). */
export interface CoreSettings {
  readonly pattern: string;
  readonly limit: string;
}

/** As they are for the children of this process; undefined where the system does not tell. */
export function coreSettings(): CoreSettings | undefined {
  try {
    const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const limit = /^Max core file size\s+(\S+)/m.exec(limits)?.[1];
    return limit === undefined ? undefined : { pattern, limit };
  } catch {
    return undefined;
  }
}

/** How to get the core dump of a worker, in a sentence; `pid` is the one that died. */
export function coreHint(settings: CoreSettings | undefined, pid: number): string | undefined {
  if (settings === undefined) return undefined;
  const { pattern, limit } = settings;
  if (pattern.startsWith('|')) {
    const program = pattern.slice(1).split(' ')[0] ?? '';
    if (program.includes('systemd-coredump')) return `coredumpctl info ${pid}`;
    return `Core dumps of this machine go to ${program}; look for that of process ${pid} there`;
  }
  if (limit === '0') {
    return `No core dump was kept: the limit is 0. For the next one start the server with \`ulimit -c unlimited\` (systemd: LimitCORE=infinity); it will be named after the pattern ${pattern}`;
  }
  const place = pattern.startsWith('/') ? pattern : `${pattern}, in the server's working directory`;
  return `Core dumps are written to ${place} (%p is ${pid})`;
}
