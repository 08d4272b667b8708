/** Where a helper puts what ends it: a test's context, or a soak run. */
export interface Cleanup {
  after(work: () => unknown): void;
}
