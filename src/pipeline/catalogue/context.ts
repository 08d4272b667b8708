import type { GeneratedFile, Lowered, PropertyValue } from '../graph.ts';
import type { Elements } from './elements.ts';
import type { CatalogueFinding, FilePlace } from './finding.ts';
import type { GraphView, ViewNode } from './graph-view.ts';
import { type KeyFile, parseKeyFile } from './key-file.ts';
import type { KeyTables } from './keys.ts';

/** `deepstream.elements` of a spec: properties by factory. */
export type PropertyOverrides = Readonly<Record<string, Readonly<Record<string, PropertyValue>>>>;
const OVERRIDES = '/deepstream/elements';

/** Everything one check of a lowered pipeline looks at, and where it puts what it finds. */
export class CheckContext {
  readonly lowered: Lowered;
  readonly elements: Elements;
  readonly keys: KeyTables;
  readonly findings: CatalogueFinding[] = [];
  readonly #files: ReadonlyMap<string, GeneratedFile>;
  readonly #keyFiles = new Map<GeneratedFile, KeyFile>();
  readonly #overrides: PropertyOverrides;

  constructor(
    lowered: Lowered,
    elements: Elements,
    keys: KeyTables,
    overrides: PropertyOverrides = {},
  ) {
    this.lowered = lowered;
    this.#overrides = overrides;
    this.elements = elements;
    this.keys = keys;
    this.#files = new Map(lowered.files.map((file) => [file.path, file]));
  }

  /** The generated file a property names; undefined where it names none of ours. */
  fileOf(view: ViewNode, property: string): GeneratedFile | undefined {
    const path = view.node.properties[property];
    return typeof path === 'string' ? this.#files.get(path) : undefined;
  }

  /** The same, read as groups and keys; undefined for a file that has another form. */
  keyFileOf(view: ViewNode, property: string): KeyFile | undefined {
    const file = this.fileOf(view, property);
    return file === undefined ? undefined : this.keyFile(file);
  }

  keyFile(file: GeneratedFile): KeyFile | undefined {
    if (!['nvinfer', 'analytics', 'muxer'].includes(file.kind)) return undefined;
    let read = this.#keyFiles.get(file);
    if (read === undefined) {
      read = parseKeyFile(file.text);
      this.#keyFiles.set(file, read);
    }
    return read;
  }

  /** Reports about a node; `text` follows its name. */
  report(
    level: CatalogueFinding['level'],
    view: GraphView,
    { node, id, factory }: ViewNode,
    text: string,
    more: { readonly property?: string; readonly file?: FilePlace; readonly pointer?: string } = {},
  ): void {
    const { pointer = this.#pointerOf(factory, more.property) ?? node.origin ?? '', ...rest } =
      more;
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

  /** Where the spec itself sets a property. */
  #pointerOf(factory: string, property: string | undefined): string | undefined {
    const own = Object.hasOwn(this.#overrides, factory) ? this.#overrides[factory] : undefined;
    if (own === undefined || property === undefined || !Object.hasOwn(own, property))
      return undefined;
    return `${OVERRIDES}/${factory}/${property}`;
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
