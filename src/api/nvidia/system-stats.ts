import { cpus, freemem, totalmem } from 'node:os';

const GIB = 1024 ** 3;

export interface SystemStats {
  /** Of all cores, between this reading and the one before; 0 to 100. */
  readonly cpuPercent: number;
  readonly ramGb: number;
  readonly gpuPercent: number;
  readonly gpuGb: number;
}

/** What the machine does. A GPU is not looked at: its figures are 0. */
export class SystemMeter {
  #last = times();

  read(): SystemStats {
    const now = times();
    const total = now.total - this.#last.total;
    const busy = total - (now.idle - this.#last.idle);
    this.#last = now;
    return {
      cpuPercent: total <= 0 ? 0 : (100 * busy) / total,
      ramGb: (totalmem() - freemem()) / GIB,
      gpuPercent: 0,
      gpuGb: 0,
    };
  }
}

function times(): { total: number; idle: number } {
  let total = 0;
  let idle = 0;
  for (const core of cpus()) {
    for (const ms of Object.values(core.times)) total += ms;
    idle += core.times.idle;
  }
  return { total, idle };
}
