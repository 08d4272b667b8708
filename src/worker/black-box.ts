import { fstatSync } from 'node:fs';
import { BLACK_BOX_FD } from '../common/black-box.ts';
import type { Addon } from '../gst/load-addon.ts';
import type { StreamEvent, WorkerEvent } from './protocol.ts';

/** Notes what this worker does where it can be read after the process was killed. Without the file nothing is noted. */
export class BlackBox {
  readonly #addon: Addon | undefined;

  /** Throws when the file is there and cannot be mapped. */
  static open(addon: Addon): BlackBox {
    if (!isFile(BLACK_BOX_FD)) return new BlackBox(undefined);
    addon.openBlackBox(BLACK_BOX_FD);
    return new BlackBox(addon);
  }

  private constructor(addon: Addon | undefined) {
    this.#addon = addon;
  }

  note(text: string): void {
    this.#addon?.note(text);
  }

  noteEvent(event: WorkerEvent): void {
    if (event.event === 'stream') this.note(describe(event));
    else if (event.event === 'log' && event.level === 'error' && event.msg !== 'gstreamer.log')
      this.note(event.msg);
  }
}

function describe({ streamId, phase, session, code, message, layer }: StreamEvent): string {
  const facts = [session, layer, code, message].filter((fact) => fact !== undefined);
  return `stream ${streamId} ${phase} ${facts.join(' ')}`.trimEnd();
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}
