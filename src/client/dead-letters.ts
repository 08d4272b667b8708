import type { DeadLetter } from '../api/schemas.ts';
import { Resource } from './resource.ts';
import { newKey, pathOf } from './transport.ts';
import type { PostOptions } from './types.ts';

/** Some dead letters by their ids, or all of a sink. */
export type LetterChoice = { readonly ids: readonly string[] } | { readonly sinkId: string };

/** Records that a sink will never take. */
export class DeadLetters extends Resource<DeadLetter, { readonly sinkId?: string }> {
  /** Sends them again. Resolves with how many wait now, and how many stayed because their sink is gone. */
  retry(
    choice: LetterChoice,
    options: PostOptions = {},
  ): Promise<{ retried: number; kept: number }> {
    return this.#post('retry', choice, options);
  }

  /** Throws them away for good. */
  purge(choice: LetterChoice, options: PostOptions = {}): Promise<{ purged: number }> {
    return this.#post('purge', choice, options);
  }

  #post<T>(
    verb: string,
    body: LetterChoice,
    { idempotencyKey = newKey(), ...options }: PostOptions,
  ): Promise<T> {
    const call = { ...options, body, idempotencyKey };
    return this.transport.json<T>('POST', pathOf(this.name, verb), call);
  }
}
