import { join } from 'node:path';
import { ROOT } from '../../src/common/paths.ts';

export type Block = Readonly<Record<string, unknown>>;

/** The parsed configuration, as far as the tests read it: blocks lie in arrays. */
export interface Hcl {
  readonly locals: readonly Block[];
  readonly variable: Readonly<Record<string, readonly Block[]>>;
  readonly resource: Readonly<Record<string, Readonly<Record<string, readonly Block[]>>>>;
}

// Not by name: its declarations bring those of browsers with them, which are at odds with Node's.
const { convertFiles } = (await import(['@cdktn', 'hcl2json'].join('/'))) as {
  convertFiles(folder: string): Promise<unknown>;
};

/** deploy/terraform, whose expressions stay text: `${…}`. */
export async function readHcl(): Promise<Hcl> {
  return (await convertFiles(join(ROOT, 'deploy', 'terraform'))) as Hcl;
}
