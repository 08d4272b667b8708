import type { QueueFacts } from './queue.ts';

const MAX_ENTRIES = 10;

export interface Sized {
  readonly bytes: number;
  readonly groupId: string;
}

/**
 * Cuts messages into requests of at most ten that fit together. For FIFO queues a request holds at most one message
 * of a group, and requests are sent one after the other: a failed one can then never be overtaken by a later one.
 */
export function cutIntoRequests<T extends Sized>(
  messages: readonly T[],
  { isFifo, maxBatchBytes }: Pick<QueueFacts, 'isFifo' | 'maxBatchBytes'>,
): T[][] {
  const requests: { items: T[]; bytes: number }[] = [];
  const lastOfGroup = new Map<string, number>();
  for (const message of messages) {
    const first = isFifo
      ? (lastOfGroup.get(message.groupId) ?? -1) + 1
      : Math.max(0, requests.length - 1);
    let index = first;
    for (; index < requests.length; index++) {
      const { items, bytes } = requests[index]!;
      if (items.length < MAX_ENTRIES && bytes + message.bytes <= maxBatchBytes) break;
    }
    const request = requests[index];
    if (request === undefined) requests.push({ items: [message], bytes: message.bytes });
    else {
      request.items.push(message);
      request.bytes += message.bytes;
    }
    lastOfGroup.set(message.groupId, index);
  }
  return requests.map(({ items }) => items);
}
