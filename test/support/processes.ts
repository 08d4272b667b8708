import { readdirSync, readFileSync } from 'node:fs';
import { until } from './wait.ts';

interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function readProcesses(): ProcessInfo[] {
  const found: ProcessInfo[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z') continue;
      const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      found.push({ pid: Number(entry), parent: Number(fields[1]), command });
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

/** The process and all that descend from it, zombies left out. */
export function processTree(root: number): ProcessInfo[] {
  const all = readProcesses();
  const pids = new Set([root]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid, parent } of all) {
      if (pids.has(parent) && !pids.has(pid)) {
        pids.add(pid);
        grown = true;
      }
    }
  }
  return all.filter(({ pid }) => pids.has(pid));
}

export function isAlive(pid: number): boolean {
  return readProcesses().some((process) => process.pid === pid);
}

/** Stops a process as a debugger would. Resolves once each of its threads has stopped. */
export async function stopProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await until(`process ${pid} has stopped`, 5_000, () =>
    readdirSync(`/proc/${pid}/task`).every((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
      return stat.charAt(stat.lastIndexOf(')') + 2) === 'T';
    }),
  );
}
