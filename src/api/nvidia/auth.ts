import { createHash, timingSafeEqual } from 'node:crypto';

/** Who is asking, as far as tokens tell. */
export interface Caller {
  /** May use the API: the token fits, or none is asked for. */
  readonly known: boolean;
  /** May end the server. */
  readonly admin: boolean;
}

/** Compares bearer tokens in constant time. */
export class Gate {
  readonly #token: Buffer | undefined;
  readonly #adminToken: Buffer | undefined;

  constructor(tokens: { readonly token?: string; readonly adminToken?: string }) {
    this.#token = digest(tokens.token);
    this.#adminToken = digest(tokens.adminToken);
  }

  /** True when no token is asked for: then whoever reaches the port may use it. */
  get open(): boolean {
    return this.#token === undefined;
  }

  /** `authorization` is the header of that name. The admin's token opens everything. */
  check(authorization: string | undefined): Caller {
    const given = digest(/^Bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1]) ?? digest('');
    const admin = same(this.#adminToken, given);
    return { admin, known: this.open || admin || same(this.#token, given) };
  }
}

function digest(text: string | undefined): Buffer | undefined {
  return text === undefined ? undefined : createHash('sha256').update(text).digest();
}

function same(expected: Buffer | undefined, given: Buffer | undefined): boolean {
  return expected !== undefined && given !== undefined && timingSafeEqual(expected, given);
}
