import { SightlineError } from '../common/errors.ts';
import type { FleetStore, StoredDocument } from './store.ts';

/** A stream somebody wants, wherever it runs. */
export interface DesiredStream {
  readonly id: string;
  /** Grows with every change, also over a removal. */
  readonly generation: number;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** What must be so for a change to be made. */
export interface Expected {
  /** It has this generation. */
  readonly generation?: number;
  /** There is none. */
  readonly create?: boolean;
}

/** A document's own version begins anew with each creation: the body says from which number on the generation counts. */
interface Body {
  readonly since: number;
  readonly spec: DesiredStream['spec'];
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
    return (await this.#store.documents(STREAMS)).map(read);
  }

  async get(id: string): Promise<DesiredStream | undefined> {
    const found = await this.#store.document(STREAMS, id);
    return found && read(found);
  }

  /** Grows with every change. */
  async revision(): Promise<number> {
    return (await this.#store.document(META, CHANGES))?.version ?? 0;
  }

  /**
   * Makes it so. `created`: there was none. Throws `SL_PRECONDITION_FAILED`, `SL_UNAVAILABLE`, and `SL_REQUEST_INVALID`
   * for a spec too large.
   */
  async put(
    id: string,
    spec: DesiredStream['spec'],
    expected: Expected = {},
  ): Promise<{ readonly created: boolean; readonly generation: number }> {
    let known = await this.#store.document(STREAMS, id);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const now = known && read(known);
      check(id, now, expected);
      if (now !== undefined && JSON.stringify(now.spec) === JSON.stringify(spec)) {
        return { created: false, generation: now.generation };
      }
      // One that was removed had a lower generation: that removal, too, was a change.
      const since = now === undefined ? await this.#tell() : now.generation - known!.version;
      const body = JSON.stringify({ since, spec } satisfies Body);
      const outcome = await this.#store.put(STREAMS, id, body, known?.version ?? 0);
      if (outcome.done) {
        await this.#tell();
        return { created: now === undefined, generation: since + outcome.version };
      }
      known = outcome.current;
    }
    throw tooMany(`stream '${id}'`);
  }

  /** False when there was none. Throws as `put`. */
  async remove(id: string, expected: Pick<Expected, 'generation'> = {}): Promise<boolean> {
    let known = await this.#store.document(STREAMS, id);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      if (known === undefined) return false;
      check(id, read(known), expected);
      const outcome = await this.#store.remove(STREAMS, id, known.version);
      if (outcome.done) {
        await this.#tell();
        return true;
      }
      known = outcome.current;
    }
    throw tooMany(`stream '${id}'`);
  }

  /** Gives the new revision. */
  async #tell(): Promise<number> {
    let version = await this.revision();
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const outcome = await this.#store.put(META, CHANGES, '', version);
      if (outcome.done) return outcome.version;
      version = outcome.current?.version ?? 0;
    }
    throw tooMany('the desired streams');
  }
}

function read({ id, version, body }: StoredDocument): DesiredStream {
  const { since, spec } = JSON.parse(body) as Body;
  return { id, generation: since + version, spec };
}

function check(id: string, now: DesiredStream | undefined, expected: Expected): void {
  const { create = false, generation } = expected;
  if (create && now !== undefined) {
    throw new SightlineError('SL_PRECONDITION_FAILED', `There is a stream '${id}' in the fleet`);
  }
  if (generation !== undefined && generation !== now?.generation) {
    throw new SightlineError(
      'SL_PRECONDITION_FAILED',
      `Cannot change stream '${id}' of the fleet: it was changed since it was read`,
    );
  }
}

function tooMany(what: string): SightlineError {
  return new SightlineError(
    'SL_UNAVAILABLE',
    `Cannot change ${what} of the fleet: others changed it ${TRIES} times meanwhile. Try again.`,
  );
}
