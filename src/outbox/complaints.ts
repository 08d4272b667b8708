import { SightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { DiskTrouble } from './protocol.ts';
import type { OutboxStats } from './stats.ts';

/** What is wrong with the outbox, for the log and for `stats`. */
export class Complaints {
  readonly #logger: Logger | undefined;
  last: OutboxStats['lastError'];

  constructor(logger: Logger | undefined) {
    this.#logger = logger;
  }

  report({ code, message }: SightlineError): void {
    this.last = { code, message, at: new Date().toISOString() };
    this.#logger?.error({ code, reason: message }, 'outbox.trouble');
  }

  /** The disk takes nothing; undefined: it does again. */
  disk(trouble: DiskTrouble | undefined): void {
    if (trouble === undefined) {
      this.#logger?.info('outbox.resumed');
      return;
    }
    const { message } = trouble;
    this.report(
      new SightlineError(
        'SL_OUTBOX_DISK_FULL',
        `Cannot store new records in the outbox: ${message}. What was accepted before is kept; make room, storing resumes by itself`,
      ),
    );
  }
}
