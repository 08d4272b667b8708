import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/** Cores this process and its children may use: those it may run on, or less where its control group says so. */
export function coresOfBox(root = '/'): number {
  const cores = availableParallelism();
  return Math.min(cores, ...quotas(root));
}

/** CPU quotas of the control group and of those around it (cgroup v2), in cores. */
function quotas(root: string): readonly number[] {
  const group = /^0::(\/.*)$/m.exec(read(join(root, 'proc/self/cgroup')))?.[1] ?? '/';
  const steps = group.split('/').filter((name) => name !== '');
  const folders = [...steps.keys(), steps.length].map((count) => steps.slice(0, count));
  return folders.flatMap((names) => {
    const text = read(join(root, 'sys/fs/cgroup', ...names, 'cpu.max'));
    const [quota, period] = text.trim().split(/\s+/).map(Number);
    // "max" is no number: no limit.
    return quota && period && quota > 0 ? [quota / period] : [];
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
