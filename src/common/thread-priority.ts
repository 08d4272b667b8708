import { setPriority } from 'node:os';

/**
 * Lets the event loop of the process go before the calling thread, which is one of ours, where there are too few cores:
 * what is late there is felt by everybody.
 *
 * @param nice 1 to 19: the higher, the further behind, also behind other processes
 */
export function standBehindMainThread(nice: number): void {
  // On Linux this is of the calling thread alone.
  if (process.platform === 'linux') setPriority(nice);
}
