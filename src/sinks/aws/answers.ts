import { SightlineError } from '../../common/errors.ts';

/** What the service said of the entries of a request, in their order: the name of the error, undefined for a taken one. */
export type EntryCodes = readonly (string | undefined)[];

const MAX_NAME = 80;

/** What a service calls an error, fit for a line of a log: it may be anything that answers at its address. */
export function shownName(name: unknown): string {
  if (typeof name !== 'string' || name === '') return 'Error';
  return name
    .replace(/^AWS\.SimpleQueueService\./, '')
    .slice(0, MAX_NAME)
    .replace(/[^\w.:-]+/g, '_');
}

/**
 * Reads the fates of entries. One is taken where `proof` names what it became, so that an answer of something else than the
 * service is no delivery.
 * @throws SightlineError `SL_SINK_UNAVAILABLE` for what is no list
 */
export function entryCodes(list: unknown, proof: string): EntryCodes {
  if (!Array.isArray(list)) {
    throw new SightlineError(
      'SL_SINK_UNAVAILABLE',
      'The answer of the service has no list of entries',
    );
  }
  return list.map((entry: unknown) => {
    const said = (entry ?? {}) as Readonly<Record<string, unknown>>;
    const { ErrorCode: error } = said;
    if (typeof error === 'string' && error !== '') return shownName(error);
    return typeof said[proof] === 'string' ? undefined : 'NoAnswer';
  });
}
