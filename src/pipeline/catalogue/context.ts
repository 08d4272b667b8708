import type { GeneratedFile, Lowered } from '../graph.ts';
import type { Elements } from './elements.ts';
import type { CatalogueFinding, FilePlace } from './finding.ts';
import type { GraphView, ViewNode } from './graph-view.ts';
import type { KeyTables } from './keys.ts';

/** Everything one check of a lowered pipeline looks at, and where it puts what it finds. */
export class CheckContext {
  readonly lowered: Lowered;
  readonly elements: Elements;
  readonly keys: KeyTables;
  readonly findings: CatalogueFinding[] = [];
  readonly #files: ReadonlyMap<string, GeneratedFile>;

  constructor(lowered: Lowered, elements: Elements, keys: KeyTables) {
    this.lowered = lowered;
    this.elements = elements;
    this.keys = keys;
    this.#files = new Map(lowered.files.map((file) => [file.path, file]));
  }

  /** The generated file a property names; undefined where it names none of ours. */
  fileOf(view: ViewNode, property: string): GeneratedFile | undefined {
    const path = view.node.properties[property];
    return typeof path === 'string' ? this.#files.get(path) : undefined;
  }

  /** Reports about a node; `text` follows its name. */
  report(
    level: CatalogueFinding['level'],
    view: GraphView,
    { node, id, factory }: ViewNode,
    text: string,
    more: { readonly property?: string; readonly file?: FilePlace; readonly pointer?: string } = {},
  ): void {
    const { pointer = node.origin ?? '', ...rest } = more;
    const message = `${factory} (node "${id}"): ${text}`;
    this.findings.push({
      level,
      pointer,
      graph: view.graph.id,
      node: id,
      factory,
      ...rest,
      message,
    });
  }

  /** Reports about a whole graph. */
  reportGraph(level: CatalogueFinding['level'], view: GraphView, text: string): void {
    const { id } = view.graph;
    const message = `graph "${id}": ${text}`;
    this.findings.push({ level, pointer: '', graph: id, node: '', factory: '', message });
  }
}

/** A check of one graph. */
export type GraphCheck = (view: GraphView, context: CheckContext) => void;
