import { SightlineError } from '../../common/errors.ts';
import type { PutOptions } from '../types.ts';

/** Throws `SL_PRECONDITION_FAILED` unless the thing is of the generation, or absent, as the caller takes it to be. */
export function checkPreconditions(
  what: string,
  now: number | undefined,
  { generation, create = false }: Pick<PutOptions, 'generation' | 'create'>,
): void {
  if (create && now !== undefined) {
    throw new SightlineError(
      'SL_PRECONDITION_FAILED',
      `Cannot create ${what}: there is one already, of generation ${now}`,
    );
  }
  if (generation === undefined || generation === now) return;
  const found = now === undefined ? 'there is none' : `it is of generation ${now} now`;
  throw new SightlineError(
    'SL_PRECONDITION_FAILED',
    `Cannot change ${what}, thought to be of generation ${generation}: ${found}. Read it again and decide anew.`,
    now === undefined ? {} : { details: { generation: now } },
  );
}
