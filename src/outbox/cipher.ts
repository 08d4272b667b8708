import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SightlineError } from '../common/errors.ts';

const KEY_BYTES = 32;
const VERSION = 1;
const ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NONCE_AT = 1 + ID_BYTES;
const TAG_AT = NONCE_AT + NONCE_BYTES;

/** Bytes that sealing adds: version, key id, nonce and tag, before the ciphertext. */
export const SEAL_BYTES = TAG_AT + TAG_BYTES;

/** In place of a checksum: the cipher's tag does its work. */
export const SEALED = -1;

/** One key, with the id that what it sealed carries. */
export class OutboxKey {
  readonly id: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.id = createHash('sha256')
      .update('sightline outbox key')
      .update(bytes)
      .digest()
      .readUInt32BE();
  }

  /** AES-256-GCM under a fresh random nonce; `context` is authenticated and not stored. */
  seal(data: Uint8Array, context: string): Buffer {
    const sealed = Buffer.allocUnsafeSlow(SEAL_BYTES + data.byteLength);
    const nonce = randomBytes(NONCE_BYTES);
    sealed.writeUInt8(VERSION, 0);
    sealed.writeUInt32BE(this.id, 1);
    sealed.set(nonce, NONCE_AT);
    const cipher = createCipheriv('aes-256-gcm', this.#bytes, nonce);
    cipher.setAAD(Buffer.from(context));
    sealed.set(cipher.update(data), SEAL_BYTES);
    cipher.final();
    sealed.set(cipher.getAuthTag(), TAG_AT);
    return sealed;
  }

  /** Undefined when anything of it is not as this key sealed it. */
  open(sealed: Uint8Array, context: string): Uint8Array | undefined {
    const decipher = createDecipheriv(
      'aes-256-gcm',
      this.#bytes,
      sealed.subarray(NONCE_AT, TAG_AT),
    );
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(sealed.subarray(TAG_AT, SEAL_BYTES));
    const data = decipher.update(sealed.subarray(SEAL_BYTES));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    // A buffer out of Node's pool cannot change hands.
    return data.byteLength === data.buffer.byteLength ? data : Uint8Array.from(data);
  }
}

/**
 * Reads a key: 32 bytes as they are, in hex or in base64.
 * @throws SightlineError `SL_OUTBOX_KEY`
 */
export function readKey(file: string): OutboxKey {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new SightlineError(
      'SL_OUTBOX_KEY',
      `Cannot read the key of the outbox, ${file}: ${code}`,
    );
  }
  const text = content.toString('latin1').trim();
  let bytes = content;
  if (/^[0-9a-f]{64}$/i.test(text)) bytes = Buffer.from(text, 'hex');
  else if (/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) bytes = Buffer.from(text, 'base64');
  if (bytes.byteLength === KEY_BYTES) return new OutboxKey(bytes);
  throw new SightlineError(
    'SL_OUTBOX_KEY',
    `The key of the outbox, ${file}, must be ${KEY_BYTES} bytes, raw, in hex or in base64 (make one with: openssl rand -hex 32 > key)`,
  );
}

/** Seals what is stored, with the key of now, and opens it with that or an earlier one. Without keys it does neither. */
export class Cipher {
  readonly #current: OutboxKey | undefined;
  readonly #keys: ReadonlyMap<number, OutboxKey>;

  /** @param keys the current one first */
  constructor(keys: readonly OutboxKey[]) {
    this.#current = keys[0];
    this.#keys = new Map(keys.map((key) => [key.id, key]));
  }

  get current(): OutboxKey | undefined {
    return this.#current;
  }

  has(keyId: number): boolean {
    return this.#keys.has(keyId);
  }

  /** The bytes to store, undefined when they are stored as they are. */
  seal(data: Uint8Array, context: string): Buffer | undefined {
    return this.#current?.seal(data, context);
  }

  /** Undefined when it was changed, or sealed with a key that is not here. */
  open(sealed: Uint8Array, context: string): Uint8Array | undefined {
    if (sealed.byteLength < SEAL_BYTES || sealed[0] !== VERSION) return undefined;
    const view = new DataView(sealed.buffer, sealed.byteOffset);
    return this.#keys.get(view.getUint32(1))?.open(sealed, context);
  }
}
