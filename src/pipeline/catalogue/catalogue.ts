/** The shape of `configs/deepstream/catalogue-9.1.json`: what is known of every element a graph may use. */
export interface Catalogue {
  /** Version of DeepStream the facts are of, such as "9.1.0". */
  readonly deepstream: string;
  readonly platforms: Readonly<Record<string, PlatformEntry>>;
  /** Properties elements inherit, by the kind of their base class; entries read from a machine hold them already. */
  readonly bases: Readonly<Record<string, Readonly<Record<string, PropertyEntry>>>>;
  /** By factory; an entry that only holds under a variable has a key of its own (see `variants`). */
  readonly elements: Readonly<Record<string, ElementEntry>>;
}

/** Elements have one of two builds: for cards, and for Jetson. */
export type Family = 'dgpu' | 'jetson';

export interface PlatformEntry {
  readonly family: Family;
  /** Elements that are missing here though the family has them, each with what to do instead. */
  readonly lacks: Readonly<Record<string, string>>;
}

export interface ElementEntry {
  /** What the entry is based on, in words. */
  readonly from: string;
  /** False: the element may have more than is listed, so an unknown property is only a warning. */
  readonly complete: boolean;
  /** Factory, where the key is another name. */
  readonly factory?: string;
  readonly plugin?: string;
  readonly base?: string;
  /** Key of the entry that holds under `NAME=value` in the environment. */
  readonly variants?: Readonly<Record<string, string>>;
  /** Properties without which the element does not start. */
  readonly required?: readonly string[];
  /** `same`: what enters leaves unchanged. `format`: its format and memory do. Absent: the element converts. */
  readonly flow?: 'same' | 'format';
  readonly notes?: readonly string[];
  readonly properties: Readonly<Record<string, PropertyEntry>>;
  readonly pads: readonly PadEntry[];
  readonly signals: Readonly<Record<string, SignalEntry>>;
}

export type PropertyType =
  | 'boolean'
  | 'int'
  | 'uint'
  | 'long'
  | 'ulong'
  | 'int64'
  | 'uint64'
  | 'float'
  | 'double'
  | 'string'
  | 'enum'
  | 'flags'
  | 'caps'
  | 'fraction'
  | 'object';

export interface PropertyEntry {
  /** `object`: nothing a graph can set. */
  readonly type: PropertyType;
  /** Bounds of a number; text where a double cannot hold it exactly. */
  readonly min?: number | string;
  readonly max?: number | string;
  readonly default?: string | number | boolean | null;
  /** Of an enum or flags: nick to number. Absent: not known. */
  readonly values?: Readonly<Record<string, number>>;
  /** Absent: can be read and written. */
  readonly access?: 'r' | 'w';
  /** Highest state in which a change is honoured; absent: nothing is promised. */
  readonly change?: 'null' | 'ready' | 'paused' | 'playing' | 'controllable';
  /** Only this family has it. */
  readonly on?: Family;
  /** First GStreamer version that has it, where the entry was read from an older one. */
  readonly since?: string;
  readonly deprecated?: boolean;
  readonly note?: string;
}

export interface PadEntry {
  /** Name, or a template such as `sink_%u`. */
  readonly name: string;
  readonly direction: 'sink' | 'src';
  readonly presence: 'always' | 'sometimes' | 'request';
  /** Text of the caps, by family where they differ. */
  readonly caps: string | Readonly<Record<Family, string>>;
}

export interface SignalEntry {
  readonly kind: 'signal' | 'action';
  /** Types of the arguments, without the element. */
  readonly args: readonly string[];
  readonly on?: Family;
}
