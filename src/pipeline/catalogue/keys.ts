/** The shape of `configs/deepstream/keys-9.1.json`: the keys of the files DeepStream's elements read. */
export interface KeyTables {
  readonly deepstream: string;
  readonly files: Readonly<Record<string, FileTable>>;
  readonly textProto: ProtoTable;
}

export interface FileTable {
  readonly form: 'ini' | 'yaml';
  readonly from: string;
  /** False: there may be keys that are not listed, so an unknown one is only a warning. */
  readonly complete: boolean;
  readonly requiredGroups: readonly string[];
  /** Groups that a library of the user's reads: any key may stand there. */
  readonly openGroups?: readonly string[];
  /** Keys by group; a text names another group with the same keys. `<n>` stands for a number, `<label>` for a name. */
  readonly groups: Readonly<Record<string, Readonly<Record<string, KeyEntry>> | string>>;
}

export interface KeyEntry {
  readonly type:
    | 'int'
    | 'uint'
    | 'bool'
    | 'float'
    | 'string'
    | 'path'
    | 'int list'
    | 'float list'
    | 'string list'
    | 'any';
  /** Bounds of the number, or of each number of a list. */
  readonly min?: number;
  readonly max?: number;
  readonly maxLength?: number;
  readonly oneOf?: readonly (number | string)[];
  /** Least and greatest number of items of a list; null: no limit. */
  readonly count?: readonly [number, number | null];
  /** The same for pairs of numbers. */
  readonly points?: readonly [number, number | null];
  readonly required?: boolean;
  readonly default?: number | string | boolean;
  /** The element's property that wins over the key. */
  readonly property?: string;
  /** Forms of the file that have the key; absent: all. */
  readonly forms?: readonly ('ini' | 'yaml')[];
  readonly meaning?: string;
}

/** Messages of nvinferserver's file, which is a protobuf message as text. */
export interface ProtoTable {
  readonly from: string;
  readonly root: string;
  readonly messages: Readonly<Record<string, Readonly<Record<string, ProtoField>>>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface ProtoField {
  /** A scalar type of protobuf, or the name of a message or enum. */
  readonly type: string;
  readonly repeated?: boolean;
  /** Type of the keys, for a map. */
  readonly map?: string;
  /** Name of the oneof it belongs to: only one field of it can be set. */
  readonly oneOf?: string;
}
