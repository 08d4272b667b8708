import type { DeliveryControl, LetterChoice } from '../../api/dependencies.ts';
import { SightlineError } from '../../common/errors.ts';
import type { JsonObject } from '../../control/types.ts';
import type { Delivery } from '../../outbox/delivery.ts';
import type { Outbox } from '../../outbox/outbox.ts';
import type { SinkBook } from './sink-book.ts';
import { letterView, orphanView, sinkView, wholeLetterView } from './views.ts';

/** Sinks and dead letters as the API asks for them. @param parts of the server, to which the outbox delivers, too */
export function deliveryControl(
  outbox: Outbox,
  book: SinkBook,
  parts: readonly Delivery[] = [],
): DeliveryControl {
  /** Of sinks that are gone and left a backlog. */
  const gone = () => {
    const known = new Set([
      ...book.all().map(({ spec }) => spec.id),
      ...parts.map(({ sinkId }) => sinkId),
    ]);
    return outbox.stats().sinks.filter(({ id }) => !known.has(id));
  };
  const sinks = () => [
    ...book.all().map((sink) => sinkView(sink, outbox)),
    ...gone().map(orphanView),
  ];
  const sink = (id: string) => {
    const found = sinks().find((view) => view.id === id);
    if (found !== undefined) return found;
    throw new SightlineError('SL_NOT_FOUND', `There is no sink "${id}"`);
  };
  return {
    sinks,
    sink,
    figures: () => [
      ...book.all().map(({ spec, delivery }) => delivery?.stats() ?? outbox.countsOf(spec.id)),
      ...parts.map((part) => part.stats()),
      ...gone(),
    ],
    outbox: () => outbox.stats(),
    putSink: async (spec, asked) => {
      const created = await book.put(spec as unknown as JsonObject, asked);
      return { view: sink(spec.id), created };
    },
    patchSink: async (id, patch, asked) => {
      await book.patch(id, patch, asked);
      return sink(id);
    },
    removeSink: (id, asked) => book.remove(id, asked),
    pauseSink: async (id) => {
      await book.pause(id);
      return sink(id);
    },
    resumeSink: async (id) => {
      await book.resume(id);
      return sink(id);
    },
    forgetSink: (id) => book.forget(id),
    deadLetters: async ({ sinkId, beforeId, limit }) => {
      const letters = await outbox.deadLetters({
        ...(sinkId === undefined ? {} : { sinkId }),
        ...(beforeId === undefined ? {} : { beforeId }),
        limit,
      });
      return letters.map(letterView);
    },
    deadLetter: async (id) => wholeLetterView(await outbox.deadLetter(letterId(id))),
    retryDeadLetters: (choice) => outbox.retryDeadLetters(toChoice(choice)),
    purgeDeadLetters: async (choice) => ({
      purged: await outbox.purgeDeadLetters(toChoice(choice)),
    }),
  };
}

function toChoice(choice: LetterChoice) {
  return 'sinkId' in choice ? choice : choice.ids.map(letterId);
}

function letterId(text: string): number {
  if (/^[1-9]\d{0,15}$/.test(text)) return Number(text);
  throw new SightlineError('SL_NOT_FOUND', `There is no dead letter "${text.slice(0, 40)}"`);
}
