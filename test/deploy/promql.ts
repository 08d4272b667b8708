import { parser } from '@prometheus-io/lezer-promql';

/** A metric that an expression reads, with the labels it selects by and those it groups or matches by. */
export interface Selected {
  readonly name: string;
  readonly labels: readonly string[];
}

/** @throws Error where the expression is not PromQL, with the place */
export function selectorsOf(expression: string): { selected: Selected[]; grouped: string[] } {
  const selected: { name: string; labels: string[] }[] = [];
  const grouped: string[] = [];
  const cursor = parser.parse(expression).cursor();
  do {
    const text = expression.slice(cursor.from, cursor.to);
    if (cursor.type.isError) {
      throw new Error(`Not PromQL at ${cursor.from} of ${expression}`);
    }
    const parent = cursor.node.parent?.name;
    if (cursor.name === 'Identifier' && parent === 'VectorSelector') {
      selected.push({ name: text, labels: [] });
    } else if (cursor.name === 'LabelName') {
      if (parent === 'GroupingLabels') grouped.push(text);
      else selected.at(-1)?.labels.push(text);
    }
  } while (cursor.next());
  return { selected, grouped };
}
