const HEARTBEAT_MS = 15_000;

function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

/** Prints what set-up does: one line when a step starts, one when it ends, a sign of life in between. */
export class Progress {
  #startedAt = Date.now();
  #running = new Map();
  #heartbeat;
  #print;

  constructor(print = (line) => process.stderr.write(`${line}\n`)) {
    this.#print = print;
  }

  begin(count) {
    this.#print(`Setting up Sightline: ${count} step${count === 1 ? '' : 's'} to do`);
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
  }

  started(step) {
    this.#running.set(step.name, { at: Date.now(), line: '' });
    this.#print(`  ${step.name.padEnd(10)} ${step.title} ...`);
  }

  /** The step's latest output line, shown when it takes long. */
  said(step, line) {
    const entry = this.#running.get(step.name);
    if (entry !== undefined) entry.line = line;
  }

  note(step, text) {
    this.#print(`  ${step.name.padEnd(10)} ${text}`);
  }

  finished(step) {
    this.#print(`  ${step.name.padEnd(10)} done in ${seconds(this.#running.get(step.name).at)}`);
    this.#running.delete(step.name);
  }

  /** An optional step failed: what needs it is left out. */
  skipped(step, why, log) {
    this.#running.delete(step.name);
    this.#print(`  ${step.name.padEnd(10)} left out: ${why}`);
    this.#print(`  ${''.padEnd(10)} ${step.remedy} Everything it printed: ${log}`);
  }

  end(ok) {
    clearInterval(this.#heartbeat);
    if (ok) this.#print(`Set-up is complete (${seconds(this.#startedAt)})`);
  }

  #beat() {
    for (const [name, { at, line }] of this.#running) {
      if (Date.now() - at < HEARTBEAT_MS) continue;
      this.#print(`  ${name.padEnd(10)} ${seconds(at)} so far: ${line.slice(0, 90)}`);
    }
  }
}
