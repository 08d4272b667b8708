import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { SightlineError } from '../common/errors.ts';
import { PATHS } from '../common/paths.ts';
import type { Graph, PropertyValue } from '../pipeline/graph.ts';

/** What reaches `onWake` where outputs go to JavaScript: (output, kind, offset, length) for each record in `data`. */
export interface NativeBatch {
  readonly data: Buffer;
  readonly index: Uint32Array;
}

/** The native class. Every method with a `request` number is answered by one `reply` event that carries it. */
export interface NativePipeline {
  build(request: number): void;
  setState(request: number, state: string, wait: boolean): void;
  getProperties(request: number, paths: readonly (readonly [string, string])[]): void;
  setProperties(
    request: number,
    changes: readonly (readonly [node: string, property: string, value: PropertyValue])[],
  ): void;
  dot(request: number): void;
  sendEos(request: number, nodes: readonly string[]): void;
  counters(): string;
  outputs(): string[];
  busy(): boolean;
  dispose(limitMs: number): boolean;
}

export interface NativeOptions {
  readonly watch: readonly string[];
  readonly count: readonly string[];
  readonly fd?: number;
  readonly maxRecords?: number;
  readonly maxRecordBytes?: number;
  readonly maxEvents?: number;
}

export interface WriterStats {
  /** Records written whole. */
  readonly written: number;
  readonly writtenBytes: number;
  /** Records that wait, those in the current write included. */
  readonly pending: number;
  readonly pendingBytes: number;
  /** errno that stopped the writer for good; 0 while it runs. */
  readonly error: number;
}

export interface Addon {
  readonly Pipeline: new (
    graph: Graph,
    options: NativeOptions,
    onWake: (events: readonly string[], batch?: NativeBatch) => void,
  ) => NativePipeline;
  /** GStreamer's version, `major.minor.micro`. */
  version(): string;
  /** The kernel kills this process when the thread that started it ends. */
  dieWithParent(): void;
  /** Ends the process at once: no hook, no flush. For a pipeline that hangs. */
  exitImmediately(code: number): void;
  writerStats(fd: number): WriterStats;
  /** To be called before a descriptor that took records is closed. Drops what is not written. */
  forgetWriter(fd: number): void;
  /** From now on GStreamer's warnings and errors are kept for takeLogs() and not printed. */
  captureLogs(): void;
  /**
   * From now on a thread iterates GLib's default main context, on which elements of others hang their timers (the
   * reconnect of nvurisrcbin). Idempotent.
   */
  runMainLoop(): void;
  /**
   * From now on GStreamer's warnings and errors, what some elements say at level INFO, bus messages and note() also go
   * into the file (see common/black-box.ts), which survives every death of the process. Throws when it cannot be mapped.
   */
  openBlackBox(fd: number): void;
  /** A line for the black box. */
  note(text: string): void;
  /** JSON of what was kept since the last call: `{dropped, lines: [{level, category, element, message}]}`. */
  takeLogs(): string;
}

const loaded = new Map<string, Addon>();

/**
 * The addon, loaded and GStreamer initialised at the first call. Throws `SL_ADDON_LOAD_FAILED` saying what was tried,
 * what is missing and what to run.
 */
export function loadAddon(path: string = PATHS.addon): Addon {
  const known = loaded.get(path);
  if (known !== undefined) return known;
  try {
    const addon = createRequire(import.meta.url)(path) as Addon;
    loaded.set(path, addon);
    return addon;
  } catch (error) {
    throw explainLoadFailure(path, error);
  }
}

function explainLoadFailure(path: string, error: unknown): SightlineError {
  const reason = error instanceof Error ? error.message : String(error);
  const library = /(\S+\.so[.\d]*): cannot open shared object file/.exec(reason)?.[1];
  const remedy = remedyFor(path, library, reason);
  return new SightlineError(
    'SL_ADDON_LOAD_FAILED',
    `Cannot load the GStreamer addon ${path}: ${remedy}`,
    { cause: error, details: { path, reason, ...(library === undefined ? {} : { library }) } },
  );
}

function remedyFor(path: string, library: string | undefined, reason: string): string {
  if (!existsSync(path)) return 'it is not built. Run `npm run setup`.';
  if (library !== undefined) {
    const pack = library.startsWith('libgstapp')
      ? 'libgstreamer-plugins-base1.0-0'
      : 'libgstreamer1.0-0';
    const hint = /^lib(gst|glib|gobject)/.test(library) ? ` (Debian package ${pack})` : '';
    return `the system library ${library}${hint} is missing. Install it, or run \`npm run setup\`.`;
  }
  if (/NODE_MODULE_VERSION|invalid ELF header|wrong ELF class/.test(reason)) {
    return `it was built for another Node.js or machine than ${process.version} on ${process.arch}. Run \`npm run setup\`.`;
  }
  return `${reason}. Run \`npm run setup\` to build it again.`;
}
