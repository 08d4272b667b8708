import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { settlesWithin } from '../../common/waits.ts';
import type { EventLog } from '../event-log.ts';
import type { Incidents, IncidentView } from '../types.ts';
import { BlackBoxFile } from './black-box-file.ts';
import { IncidentFiles, type IncidentTexts } from './incident-files.ts';

const CLOSE_LIMIT_MS = 2_000;

export interface IncidentBounds {
  /** Default 20. */
  readonly perPipeline: number;
  /** Of all incidents. Default 200 MB. */
  readonly totalBytes: number;
}

const BOUNDS: IncidentBounds = { perPipeline: 20, totalBytes: 200_000_000 };

export interface IncidentStoreOptions {
  /** Folder `incidents` is made in it. */
  readonly dataDir: string;
  readonly events: EventLog;
  readonly logger: Logger;
  readonly bounds?: Partial<IncidentBounds>;
  /** Whether there is such a pipeline. Default: any may be. */
  readonly knows?: (pipelineId: string) => boolean;
}

/** An incident before it has a number. */
export type IncidentHead = Omit<IncidentView, 'n' | 'files'>;

/** The flight recorder's memory on disk, bounded: the oldest go first. */
export class IncidentStore implements Incidents {
  readonly folder: string;
  readonly #files: IncidentFiles;
  readonly #bounds: IncidentBounds;
  readonly #events: EventLog;
  readonly #logger: Logger;
  readonly #knows: (pipelineId: string) => boolean;
  #views = new Map<string, IncidentView[]>();
  #open = false;
  readonly #next = new Map<string, number>();
  /** One is written at a time. */
  #writing: Promise<unknown> = Promise.resolve();
  #recorded = 0;
  #forgotten = 0;
  #failed = 0;

  constructor(options: IncidentStoreOptions) {
    const { dataDir, events, logger, bounds, knows = () => true } = options;
    this.#knows = knows;
    this.folder = join(dataDir, 'incidents');
    this.#files = new IncidentFiles(this.folder);
    this.#bounds = { ...BOUNDS, ...bounds };
    this.#events = events;
    this.#logger = logger;
  }

  /** Reads what earlier servers kept; nothing is recorded before. Throws what the file system throws. */
  open(): void {
    this.#views = new Map(this.#files.load());
    this.#open = true;
  }

  /** For a worker that is about to start; undefined where the disk has no room for it. */
  openBlackBox(): BlackBoxFile | undefined {
    if (!this.#open) return undefined;
    try {
      return new BlackBoxFile(this.folder);
    } catch (error) {
      this.#logger.warn({ error: toSightlineError(error).message }, 'incident.no_black_box');
      return undefined;
    }
  }

  /** Since the start of the process; `forgotten`: the oldest, to make room. */
  get stats(): { readonly recorded: number; readonly forgotten: number; readonly failed: number } {
    return { recorded: this.#recorded, forgotten: this.#forgotten, failed: this.#failed };
  }

  count(pipelineId: string): number {
    return this.#views.get(pipelineId)?.length ?? 0;
  }

  list(pipelineId: string): readonly IncidentView[] {
    const views = this.#views.get(pipelineId);
    if (views === undefined && !this.#knows(pipelineId)) {
      throw new SightlineError('SL_NOT_FOUND', `There is no pipeline '${pipelineId}'`);
    }
    return (views ?? []).toReversed();
  }

  get(pipelineId: string, n: number): IncidentView {
    const view = this.#views.get(pipelineId)?.find((one) => one.n === n);
    if (view !== undefined) return view;
    throw new SightlineError('SL_NOT_FOUND', `Pipeline '${pipelineId}' has no incident ${n}`);
  }

  async read(pipelineId: string, n: number, name: string): Promise<string> {
    const view = this.get(pipelineId, n);
    const missing = () =>
      new SightlineError('SL_NOT_FOUND', `Incident ${n} of '${pipelineId}' has no such file`);
    // Never a path of the caller's: only what was written.
    if (!view.files.some((file) => file.name === name)) throw missing();
    try {
      return await readFile(this.#files.path(view, name), 'utf8');
    } catch {
      throw missing();
    }
  }

  /** Keeps an incident; `texts` have lost their secrets. Never rejects: what cannot be written is counted and told. */
  record(head: IncidentHead, texts: Promise<IncidentTexts>): Promise<void> {
    if (!this.#open) return Promise.resolve();
    const { pipelineId } = head;
    const n = this.#next.get(pipelineId) ?? this.#files.nextNumber(pipelineId);
    this.#next.set(pipelineId, n + 1);
    const done = this.#writing.then(async () => {
      try {
        const view = await this.#files.write({ n, ...head }, await texts);
        this.#views.set(pipelineId, [...(this.#views.get(pipelineId) ?? []), view]);
        this.#recorded += 1;
        const { kind, code, message, pid } = head;
        this.#events.emit('incident.recorded', { pipelineId, n, kind, pid, code, message });
        await this.#makeRoom();
      } catch (error) {
        this.#failed += 1;
        const { message } = toSightlineError(error);
        this.#logger.error({ pipeline: pipelineId, error: message }, 'incident.not_written');
      }
    });
    this.#writing = done;
    return done;
  }

  /** Waits, at most 2 s, for what is being written. */
  async close(): Promise<void> {
    await settlesWithin(this.#writing, CLOSE_LIMIT_MS);
  }

  async #makeRoom(): Promise<void> {
    for (const views of this.#views.values()) {
      while (views.length > this.#bounds.perPipeline) await this.#forget(views[0]!);
    }
    const all = [...this.#views.values()].flat();
    const oldestFirst = all.toSorted((a, b) => (a.at < b.at ? -1 : 1));
    let bytes = all.reduce((sum, view) => sum + sizeOf(view), 0);
    for (const view of oldestFirst) {
      if (bytes <= this.#bounds.totalBytes) return;
      await this.#forget(view);
      bytes -= sizeOf(view);
    }
  }

  async #forget(view: IncidentView): Promise<void> {
    const views = this.#views.get(view.pipelineId)!;
    views.splice(views.indexOf(view), 1);
    this.#forgotten += 1;
    await this.#files.remove(view);
  }
}

function sizeOf({ files }: IncidentView): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
