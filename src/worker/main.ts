/**
 * The worker process: the only one that loads GStreamer. It is started with the control line on fd 3 and the record
 * line on fd 4, says `ready`, runs what it is told to, and leaves with one of EXIT_CODES. It never outlives its parent.
 */
import { fstatSync } from 'node:fs';
import { SightlineError, toSightlineError } from '../common/errors.ts';
import { type Addon, loadAddon } from '../gst/load-addon.ts';
import { BlackBox } from './black-box.ts';
import { ControlChannel } from './control-channel.ts';
import { CONTROL_FD, DATA_FD, EXIT_CODES, type StartParams } from './protocol.ts';
import { Worker } from './worker.ts';

/** How long SIGTERM drains. Less than what the control process grants a worker. */
const TERM_DRAIN_MS = 3_000;
/** Flushing the control line before the end. */
const LAST_WORDS_MS = 500;
/** Streams are given this long to stop when the parent is gone. */
const ORPHAN_LIMIT_MS = 1_500;

/** Whether a descriptor is one end of a line to another process (a file of Node's own may have the number instead). */
function isLine(fd: number): boolean {
  try {
    const kind = fstatSync(fd);
    return kind.isSocket() || kind.isFIFO();
  } catch {
    return false;
  }
}

function run(addon: Addon, blackBox: BlackBox): void {
  let leaving = false;
  const leave = async (code: number) => {
    if (leaving) return;
    leaving = true;
    blackBox.note(`leaving with ${code}`);
    await channel.close(LAST_WORDS_MS);
    // A hanging pipeline would hold up an ordinary exit.
    if (code === EXIT_CODES.ended && !worker.frozen) process.exit(code);
    addon.exitImmediately(code);
  };
  const crash = (error: unknown) => {
    const { message, stack = message } = toSightlineError(error);
    process.stderr.write(`${stack}\n`);
    blackBox.note(`crash ${stack}`);
    channel.send({ event: 'log', level: 'error', msg: 'worker.crashed', fields: { stack } });
    void leave(EXIT_CODES.pipelineFailed);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);

  const worker = new Worker({
    addon,
    send: (event) => {
      blackBox.noteEvent(event);
      channel.send(event);
    },
    onDone: (code) => void leave(code),
  });
  const stop = async (drainMs: number) => {
    const drained = await worker.stop(drainMs);
    // After the reply to the stop request is on its way.
    setImmediate(() => void leave(EXIT_CODES.ended));
    return { drained };
  };
  const start = async (params: StartParams) => {
    try {
      return await worker.start(params);
    } catch (error) {
      const useless = toSightlineError(error).code === 'SL_SPEC_INVALID';
      if (useless) setImmediate(() => void leave(EXIT_CODES.badGraph));
      throw error;
    }
  };
  const channel = new ControlChannel(CONTROL_FD, {
    handlers: {
      start,
      stop: ({ drainMs }) => stop(drainMs),
      dot: ({ graphId }) => worker.dot(graphId),
      set: ({ graphId, changes }) => worker.set(graphId, changes),
      add: (params) => worker.add(params),
      remove: (params) => worker.remove(params),
      replace: (params) => worker.replace(params),
    },
    onRequest: (method, about) => blackBox.note(`request ${method} ${about}`),
    onClosed: () => {
      blackBox.note('the control line is closed');
      setTimeout(() => addon.exitImmediately(EXIT_CODES.parentGone), ORPHAN_LIMIT_MS);
      void worker.stop(0).finally(() => addon.exitImmediately(EXIT_CODES.parentGone));
    },
  });

  // The terminal sends SIGINT to the whole group: what it means is the parent's decision.
  process.on('SIGINT', () => undefined);
  let terminating = false;
  process.on('SIGTERM', () => {
    if (terminating) addon.exitImmediately(EXIT_CODES.pipelineFailed);
    terminating = true;
    void stop(TERM_DRAIN_MS);
  });
  channel.send({ event: 'ready', pid: process.pid, gstreamer: addon.version() });
}

try {
  if (!isLine(CONTROL_FD) || !isLine(DATA_FD)) {
    throw new SightlineError(
      'SL_CONFIG_INVALID',
      `The worker is started by \`sightline serve\` with its lines on fd ${CONTROL_FD} and ${DATA_FD}, not by hand`,
    );
  }
  const addon = loadAddon();
  addon.dieWithParent();
  addon.captureLogs();
  addon.runMainLoop();
  run(addon, BlackBox.open(addon));
} catch (error) {
  const { code, message } = toSightlineError(error);
  process.stderr.write(`${code}: ${message}\n`);
  process.exit(EXIT_CODES.pipelineFailed);
}
