/** A generated file and the place in it a finding is about. */
export interface FilePlace {
  readonly path: string;
  readonly kind: string;
  readonly group?: string;
  readonly key?: string;
  /** From 1. */
  readonly line?: number;
}

/** What is wrong with a lowered pipeline. An error would keep it from starting or make its results wrong. */
export interface CatalogueFinding {
  readonly level: 'error' | 'warning';
  /** JSON pointer into the spec: the part that asked for it; '' where nothing did. */
  readonly pointer: string;
  /** Id of the graph. */
  readonly graph: string;
  /** Id of the node; '' where the finding is about the graph or a file no node reads. */
  readonly node: string;
  readonly factory: string;
  readonly property?: string;
  readonly file?: FilePlace;
  /** A sentence for someone who does not know the element: what is wrong, where, and how to mend it. */
  readonly message: string;
}
