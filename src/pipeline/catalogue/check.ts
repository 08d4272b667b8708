import { problemsError } from '../../common/check.ts';
import type { SightlineError } from '../../common/errors.ts';
import type { Lowered } from '../graph.ts';
import type { Catalogue } from './catalogue.ts';
import { checkCaps } from './check-caps.ts';
import { checkElements } from './check-elements.ts';
import { checkPads } from './check-pads.ts';
import { CheckContext, type PropertyOverrides } from './context.ts';
import { Elements } from './elements.ts';
import { checkFiles } from './files/all.ts';
import type { CatalogueFinding } from './finding.ts';
import { GraphView } from './graph-view.ts';
import type { KeyTables } from './keys.ts';
import { checkRules } from './rules/all.ts';

export interface CheckOptions {
  readonly catalogue: Catalogue;
  readonly keys: KeyTables;
  /** A platform of the catalogue: dgpu, jetson, orin-nano or sbsa. */
  readonly platform: string;
  /** Version of DeepStream the pipeline is for, such as "9.1". */
  readonly deepstream: string;
  /** `deepstream.elements` of the spec: a finding about a property it sets points there. */
  readonly overrides?: PropertyOverrides;
}

/**
 * Checks a lowered pipeline against what is known of DeepStream, without a GPU: its elements, properties, links, and the
 * files it writes. Pure; the same findings in the same order each time.
 *
 * @throws RangeError for a platform or a version the catalogue does not have.
 */
export function checkLowered(lowered: Lowered, options: CheckOptions): CatalogueFinding[] {
  const { catalogue, keys, platform, overrides } = options;
  if (!`${catalogue.deepstream}.`.startsWith(`${options.deepstream}.`)) {
    const { deepstream } = options;
    throw new RangeError(
      `The catalogue is of DeepStream ${catalogue.deepstream}, not ${deepstream}`,
    );
  }
  const elements = new Elements(catalogue, platform, lowered.environment);
  const context = new CheckContext(lowered, elements, keys, overrides);
  const views = lowered.graphs.map((graph) => new GraphView(graph, elements));
  for (const view of views) {
    checkElements(view, context);
    checkPads(view, context);
    const flow = checkCaps(view, context);
    checkRules(view, context, flow);
  }
  checkFiles(views, context);
  return context.findings;
}

/**
 * The error for what `checkLowered` found, or undefined where no finding is an error. Its problems carry the pointers.
 * @param subject what was checked, such as `pipeline "dock"`
 */
export function catalogueError(
  findings: readonly CatalogueFinding[],
  subject: string,
): SightlineError | undefined {
  const problems = findings
    .filter(({ level }) => level === 'error')
    .map(({ pointer, message }) => ({ pointer, message }));
  return problems.length === 0 ? undefined : problemsError(problems, { subject });
}
