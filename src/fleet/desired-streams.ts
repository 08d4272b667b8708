import { SightlineError } from '../common/errors.ts';
import type { FleetStore } from './store.ts';

/** A stream somebody wants, wherever it runs. */
export interface DesiredStream {
  readonly id: string;
  /** Of its document: one more with every change. */
  readonly generation: number;
  readonly spec: Readonly<Record<string, unknown>>;
}

const STREAMS = 'streams';
const META = 'meta';
/** Its version counts changes of desired streams: who watches them reads one small document. */
const CHANGES = 'stream-changes';
/** Others change documents at the same moment; each try has another one's success behind it. */
const TRIES = 20;

/** The streams of the fleet as documents, one for each. Everybody may change them; the assigner reads them all. */
export class DesiredStreams {
  readonly #store: FleetStore;

  constructor(store: FleetStore) {
    this.#store = store;
  }

  /** By id. */
  async list(): Promise<readonly DesiredStream[]> {
    const documents = await this.#store.documents(STREAMS);
    return documents.map(({ id, version, body }) => ({
      ...{ id, generation: version, spec: JSON.parse(body) as DesiredStream['spec'] },
    }));
  }

  async get(id: string): Promise<DesiredStream | undefined> {
    const found = await this.#store.document(STREAMS, id);
    return found && { id, generation: found.version, spec: JSON.parse(found.body) };
  }

  /** Grows with every change. */
  async revision(): Promise<number> {
    return (await this.#store.document(META, CHANGES))?.version ?? 0;
  }

  /** Makes it so. `created`: there was none. Throws `SL_UNAVAILABLE`, `SL_REQUEST_INVALID` for a spec too large. */
  async put(
    id: string,
    spec: DesiredStream['spec'],
  ): Promise<{ readonly created: boolean; readonly generation: number }> {
    const body = JSON.stringify(spec);
    let known = await this.#store.document(STREAMS, id);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      if (known?.body === body) return { created: false, generation: known.version };
      const outcome = await this.#store.put(STREAMS, id, body, known?.version ?? 0);
      if (outcome.done) {
        await this.#tell();
        return { created: known === undefined, generation: outcome.version };
      }
      known = outcome.current;
    }
    throw tooMany(`stream '${id}'`);
  }

  /** False when there was none. */
  async remove(id: string): Promise<boolean> {
    let known = await this.#store.document(STREAMS, id);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      if (known === undefined) return false;
      const outcome = await this.#store.remove(STREAMS, id, known.version);
      if (outcome.done) {
        await this.#tell();
        return true;
      }
      known = outcome.current;
    }
    throw tooMany(`stream '${id}'`);
  }

  async #tell(): Promise<void> {
    let version = await this.revision();
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const outcome = await this.#store.put(META, CHANGES, '', version);
      if (outcome.done) return;
      version = outcome.current?.version ?? 0;
    }
    throw tooMany('the desired streams');
  }
}

function tooMany(what: string): SightlineError {
  return new SightlineError(
    'SL_UNAVAILABLE',
    `Cannot change ${what} of the fleet: others changed it ${TRIES} times meanwhile. Try again.`,
  );
}
