import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessUsage {
  readonly rssBytes: number;
  /** User and system time since the process began. */
  readonly cpuMs: number;
  readonly threads: number;
  readonly fds: number;
}

/** What this process takes of the machine now. */
export function processUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  // The 20th field; the second is a name in parentheses, in which everything may stand.
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    rssBytes: process.memoryUsage.rss(),
    cpuMs: Math.round((user + system) / 1000),
    threads: Number(fields[17]),
    // Without the one that reads the folder.
    fds: readdirSync('/proc/self/fd').length - 1,
  };
}
