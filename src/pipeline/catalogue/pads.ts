import type { PadEntry } from './catalogue.ts';
import type { Edge, ViewNode } from './graph-view.ts';

/** The pad template one end of an edge uses, or what is wrong with it. */
export type PadEnd =
  | { readonly pad: PadEntry; readonly name: string; readonly problem?: undefined }
  | { readonly problem: string };

/** Finds the template of one end of an edge; undefined where the catalogue knows no pads of the element. */
export function padEnd(
  edge: Edge,
  direction: 'src' | 'sink',
  used: Set<string>,
): PadEnd | undefined {
  const view = direction === 'src' ? edge.from : edge.to;
  const name = direction === 'src' ? edge.fromPad : edge.toPad;
  const pads = view.element?.entry.pads ?? [];
  if (view.element === undefined || (pads.length === 0 && !view.element.entry.complete)) {
    return undefined;
  }
  const dynamic = direction === 'src' && edge.dynamic;
  return name === undefined
    ? unnamed(view, pads, direction, dynamic, used)
    : named(view, pads, name, direction, dynamic);
}

function named(
  view: ViewNode,
  pads: readonly PadEntry[],
  name: string,
  direction: 'src' | 'sink',
  dynamic: boolean,
): PadEnd {
  if (dynamic) {
    return { problem: `a choice takes every pad that appears: "${name}" cannot be asked for` };
  }
  const matching = pads.filter((pad) => matches(pad.name, name));
  const pad = matching.find((candidate) => candidate.direction === direction) ?? matching[0];
  if (pad === undefined) {
    return { problem: `there is no pad "${name}"; it has ${listed(pads, direction)}` };
  }
  if (pad.direction !== direction) {
    const wrong = direction === 'src' ? 'a link cannot start there' : 'a link cannot end there';
    return { problem: `pad "${name}" is a ${pad.direction} pad: ${wrong}` };
  }
  if (pad.presence === 'sometimes') return { problem: appearsText(view, pad) };
  return { pad, name };
}

function unnamed(
  view: ViewNode,
  pads: readonly PadEntry[],
  direction: 'src' | 'sink',
  dynamic: boolean,
  used: Set<string>,
): PadEnd {
  const candidates = pads.filter((pad) => pad.direction === direction);
  const pick = (presence: PadEntry['presence']) =>
    candidates.filter((pad) => pad.presence === presence);
  if (dynamic) {
    const [appearing] = pick('sometimes');
    if (appearing !== undefined) return { pad: appearing, name: appearing.name };
    return { problem: 'it has no pads that appear while it runs: use a link, not a choice' };
  }
  const always = pick('always');
  const free = always.find((pad) => !used.has(`${view.id}.${pad.name}`)) ?? always[0];
  const pad = free ?? pick('request')[0];
  if (pad !== undefined) return { pad, name: pad.name };
  const [appearing] = pick('sometimes');
  if (appearing !== undefined) return { problem: appearsText(view, appearing) };
  const text = direction === 'src' ? 'gives nothing to link from' : 'takes nothing';
  return { problem: `it ${text}: it has no ${direction} pads` };
}

function appearsText({ id }: ViewNode, { name }: PadEntry): string {
  return `its pads "${name}" appear while it runs: "${id}" needs a choice, not a link`;
}

/** Whether a pad name is one of a template (`sink_%u` takes `sink_0`; also the bare template, as gst_element_link does). */
export function matches(template: string, name: string): boolean {
  if (template === name) return true;
  const pattern = template
    .split(/(%[\w]*[udxs])/)
    .map((part) =>
      part.startsWith('%') ? placeholder(part) : part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    )
    .join('');
  return new RegExp(`^${pattern}$`).test(name);
}

function placeholder(part: string): string {
  if (part.endsWith('s')) return '.+';
  return part.endsWith('x') ? '[0-9a-f]+' : '\\d+';
}

function listed(pads: readonly PadEntry[], direction: 'src' | 'sink'): string {
  const names = pads.filter((pad) => pad.direction === direction).map(({ name }) => `"${name}"`);
  return names.length === 0 ? `no ${direction} pads` : names.join(', ');
}
