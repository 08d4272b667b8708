import type { Lowered } from '../../../src/pipeline/graph.ts';
import type { TestPlatform } from './canonical.ts';
import type { Mutation } from './mutate.ts';

/** A wrong pipeline: one mutation of a valid one, and what must be said of it. */
export interface WrongCase {
  /** What is wrong, in words. */
  readonly name: string;
  readonly change: Mutation;
  /** Parts of the message, each of which must be in it. */
  readonly says: readonly string[];
  /** Node, property, pointer, and place in a file of the finding. */
  readonly node?: string;
  readonly property?: string;
  readonly pointer?: string;
  readonly key?: string;
  readonly line?: number;
  /** Default `dgpu`. */
  readonly platform?: TestPlatform;
  /** Default: the full pipeline of two cameras. */
  readonly base?: (platform: TestPlatform) => Lowered;
  /** One fault that shows in several places; default: exactly one error is reported. */
  readonly several?: boolean;
}
