import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { SetupFailure } from './failure.mjs';
import { ROOT } from './paths.mjs';

const TAIL_LINES = 25;

/**
 * Runs a command to its end; all output goes to `log` (appended). Rejects with a SetupFailure that carries
 * the last lines when it exits non-zero, cannot start, or `signal` ends it. Resolves to the standard output.
 */
export function runLogged(command, args, { log, cwd = ROOT, env = {}, signal, onLine } = {}) {
  return new Promise((resolve, reject) => {
    const file = createWriteStream(log, { flags: 'a' });
    file.write(`$ ${[command, ...args].join(' ')}\n`);
    // A group of its own, so that compilers below a build tool end with it. Not for sudo: what it has been told on
    // this terminal it forgets on another.
    const detached = command !== 'sudo';
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached,
    });
    const end = () => endGroup(child, detached);
    if (signal?.aborted) end();
    signal?.addEventListener('abort', end, { once: true });
    const tail = [];
    const output = [];
    const keep = (chunk) => {
      file.write(chunk);
      for (const line of String(chunk).split(/[\r\n]+/)) {
        if (line.trim() === '') continue;
        tail.push(line);
        onLine?.(line.trim());
      }
      tail.splice(0, tail.length - TAIL_LINES);
    };
    child.stdout.on('data', (chunk) => {
      output.push(chunk);
      keep(chunk);
    });
    child.stderr.on('data', keep);
    const fail = (why) => {
      signal?.removeEventListener('abort', end);
      const failure = new SetupFailure(`${command} ${args[0] ?? ''}: ${why}`, { tail, log });
      file.end(() => reject(failure));
    };
    child.on('error', (error) => fail(error.message));
    child.on('close', (code, killedBy) => {
      if (code !== 0) {
        fail(killedBy === null ? `exit status ${code}` : `ended by ${killedBy}`);
        return;
      }
      signal?.removeEventListener('abort', end);
      file.end(() => resolve(Buffer.concat(output).toString()));
    });
  });
}

function endGroup(child, isLeader) {
  if (child.pid === undefined) return;
  try {
    process.kill(isLeader ? -child.pid : child.pid, 'SIGTERM');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
