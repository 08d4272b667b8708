import { setFlagsFromString } from 'node:v8';

/**
 * How much the heap, with the buffers that lie outside it, may grow between two collections of all of it. A process that
 * mostly waits gets a few megabytes from V8, which pictures fill twice a second: each time all of 35 MB are marked.
 */
const GROWTH_PERCENT = 200;

/** For processes that pictures pass through. Call it at the start. */
export function letHeapGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
