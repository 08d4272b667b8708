import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { runLogged } from './command.mjs';
import { SetupFailure } from './failure.mjs';
import { LOGS, SKIPPED } from './paths.mjs';
import { dropStamp, hashOf, isCurrent, writeStamp } from './stamp.mjs';

/**
 * @typedef {object} Step
 * @property {string} name        also the stamp's and the log's name
 * @property {string} title       what it does, for the progress line
 * @property {string[]} needs     steps that must have ended before
 * @property {() => {files?: string[], facts?: unknown[]}} inputs  what its result depends on
 * @property {string[]} outputs   what it makes; missing ones make it run again
 * @property {(task: object) => Promise<void>} run
 * @property {string} remedy      what a person can do when it fails
 * @property {boolean} [isOptional] when it fails the others go on; SKIPPED/<name> says why, and it is tried next time
 * @property {boolean} [mayNotBeCut]  ending it half-way would do harm: it is waited for instead
 */

/** True when `step` has nothing to do. A step whose inputs do not exist yet has work. */
export function isDone(step) {
  try {
    return isCurrent(step.name, hashOf(step.inputs()), step.outputs);
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Runs the steps that are not current, each after the steps it needs, as many at once as the machine has cores
 * plus one that waits for the network. The first failure ends the others and is thrown; so does `signal`.
 */
export async function runSteps(steps, progress, { signal: interrupted } = {}) {
  const waiting = new Map(steps.map((step) => [step.name, step]));
  const running = new Map();
  const abort = new AbortController();
  interrupted?.addEventListener('abort', () => abort.abort(), { once: true });
  const slots = availableParallelism() + 1;
  mkdirSync(LOGS, { recursive: true });

  const isReady = (step) => step.needs.every((name) => !waiting.has(name) && !running.has(name));
  while (waiting.size > 0 || running.size > 0) {
    for (const step of waiting.values()) {
      if (running.size >= slots || !isReady(step)) continue;
      waiting.delete(step.name);
      running.set(
        step.name,
        runStep(step, progress, abort.signal).finally(() => running.delete(step.name)),
      );
    }
    try {
      await Promise.race(running.values());
    } catch (error) {
      abort.abort();
      await Promise.allSettled(running.values());
      throw error;
    }
  }
}

async function runStep(step, progress, signal) {
  // Its inputs may be what an earlier step made, so they are looked at only now.
  if (isDone(step)) return;
  const log = join(LOGS, `${step.name}.log`);
  rmSync(log, { force: true });
  const skipped = join(SKIPPED, step.name);
  rmSync(skipped, { force: true });
  dropStamp(step.name);
  progress.started(step);
  const onLine = (line) => progress.said(step, line);
  const cut = step.mayNotBeCut ? undefined : signal;
  const task = {
    note: (text) => progress.note(step, text),
    run: (command, args, options = {}) =>
      runLogged(command, args, { log, signal: cut, onLine, ...options }),
  };
  try {
    await step.run(task);
  } catch (error) {
    if (!step.isOptional || signal.aborted) throw stepFailure(step, error);
    mkdirSync(SKIPPED, { recursive: true });
    writeFileSync(skipped, `${error.message}\n`);
    progress.skipped(step, error.message, log);
    return;
  }
  writeStamp(step.name, hashOf(step.inputs()));
  progress.finished(step);
}

function stepFailure(step, error) {
  if (!(error instanceof SetupFailure)) {
    return new SetupFailure(`Step "${step.name}" (${step.title}) failed: ${error.stack}`, {
      remedy: step.remedy,
    });
  }
  return new SetupFailure(`Step "${step.name}" (${step.title}) failed: ${error.message}`, {
    remedy: error.remedy ?? step.remedy,
    tail: error.tail,
    log: error.log,
  });
}
