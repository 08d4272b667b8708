import { hashInTurns, S3Store, type StoredObject } from '../aws/object-store.ts';
import { SCHEMA_VERSION } from '../format/encode.ts';
import type { Message } from '../format/formatter.ts';
import { headerText } from '../header-text.ts';
import { eachLimited } from '../limited.ts';
import type { SqsSinkSpec } from './spec.ts';

/** Body of a message whose own body lies in S3. */
export interface ClaimCheck extends StoredObject {
  readonly recordId: string;
  readonly contentType: string;
  /** Where its bytes begin in an object that holds those of several messages; all of the object without it. */
  readonly offset?: number;
}

/** What became of a message whose body was to go to S3. */
export type Claimed =
  | { readonly message: Message; readonly claim: ClaimCheck }
  | { readonly message: Message; readonly error: unknown };

const PACK_TYPE = 'application/octet-stream';
/** Packs that are made at a time, but for moments. */
const MOST_SPARES = 2;

/** Bodies that are too big for the queue, in S3: each an object, or several in one. */
export class Claims {
  readonly #store: S3Store;
  readonly #packBytes: number;
  readonly #concurrency: number;
  /** Memory of packs that were stored, for the next ones. */
  readonly #spares: Buffer[] = [];

  constructor(
    { region, endpoint, credentials, concurrency }: SqsSinkSpec,
    claimCheck: NonNullable<SqsSinkSpec['claimCheck']>,
  ) {
    this.#store = new S3Store({ ...claimCheck, region, endpoint, credentials }, concurrency);
    this.#packBytes = claimCheck.packBytes ?? 0;
    this.#concurrency = concurrency;
  }

  /** In no particular order. Rejects never: what failed is among the results. */
  async put(messages: readonly Message[], signal: AbortSignal): Promise<Claimed[]> {
    const results: Claimed[] = [];
    const packs = cutIntoPacks(messages, this.#packBytes);
    await eachLimited(packs, this.#concurrency, async (pack) => {
      try {
        results.push(...(await this.#putPack(pack, signal)));
      } catch (error) {
        results.push(...pack.map((message) => ({ message, error })));
      }
    });
    return results;
  }

  close(): void {
    this.#store.close();
  }

  async #putPack(pack: readonly Message[], signal: AbortSignal): Promise<Claimed[]> {
    const hashes: Buffer[] = [];
    for (const { body } of pack) hashes.push(await hashInTurns(body));
    const [first] = pack;
    if (pack.length === 1) {
      const stored = await this.#store.put(ownObject(first!, hashes[0]!), signal);
      return [{ message: first!, claim: claimOf(first!, stored) }];
    }
    const memory = this.#spares.pop() ?? Buffer.allocUnsafeSlow(this.#packBytes);
    const data = join(pack, memory);
    const hash = await hashInTurns(data);
    const key = `packs/${hash.toString('hex')}`;
    const metadata = { messages: String(pack.length), 'schema-version': SCHEMA_VERSION };
    const object = { key, data, hash, contentType: PACK_TYPE, metadata };
    const stored = await this.#store.put(object, signal);
    // Of one that failed, a request may be on its way still.
    if (this.#spares.length < MOST_SPARES) this.#spares.push(memory);
    let offset = 0;
    return pack.map((message, index) => {
      const size = message.body.byteLength;
      const part = { ...stored, size, sha256: hashes[index]!.toString('hex') };
      const claim = { ...claimOf(message, part), offset };
      offset += size;
      return { message, claim };
    });
  }
}

/** The bodies one after the other, in memory that has room for them. */
function join(pack: readonly Message[], memory: Buffer): Buffer {
  let end = 0;
  for (const { body } of pack) {
    memory.set(body, end);
    end += body.byteLength;
  }
  return memory.subarray(0, end);
}

function ownObject(message: Message, hash: Buffer) {
  const { recordId, streamId, body, contentType } = message;
  const metadata = {
    'record-id': headerText(recordId),
    'stream-id': headerText(streamId),
    'schema-version': SCHEMA_VERSION,
  };
  // Named by its bytes: a resend finds its own object there.
  const key = `${streamId}/${hash.toString('hex')}`;
  return { key, data: body, hash, contentType, metadata };
}

function claimOf({ recordId, contentType }: Message, stored: StoredObject): ClaimCheck {
  return { ...stored, recordId, contentType };
}

/** In order, each of at most so many bytes; a body that is bigger, or of no byte that a range could name, alone. */
function cutIntoPacks(messages: readonly Message[], packBytes: number): Message[][] {
  const packs: Message[][] = [];
  let room = 0;
  for (const message of messages) {
    const { byteLength } = message.body;
    if (byteLength > 0 && byteLength <= room) {
      packs.at(-1)!.push(message);
      room -= byteLength;
    } else {
      packs.push([message]);
      room = byteLength === 0 ? 0 : packBytes - byteLength;
    }
  }
  return packs;
}
