import type {
  Catalogue,
  ElementEntry,
  Family,
  PadEntry,
  PlatformEntry,
  PropertyEntry,
} from './catalogue.ts';

/** An element as it is on one platform. */
export interface KnownElement {
  readonly factory: string;
  readonly entry: ElementEntry;
  /** Key of the entry: the factory, or the name of a variant. */
  readonly key: string;
  /** Own and inherited properties that this platform has. */
  property(name: string): PropertyEntry | undefined;
  /** Family that has a property which this platform lacks. */
  elsewhere(name: string): Family | undefined;
  names(): readonly string[];
  capsOf(pad: PadEntry): string;
}

/** The catalogue seen from one platform and environment. */
export class Elements {
  readonly family: Family;
  readonly platform: string;
  readonly #catalogue: Catalogue;
  readonly #lacks: PlatformEntry['lacks'];
  readonly #environment: Readonly<Record<string, string>>;
  readonly #known = new Map<string, KnownElement | undefined>();

  /** @throws RangeError where the catalogue has no such platform. */
  constructor(
    catalogue: Catalogue,
    platform: string,
    environment: Readonly<Record<string, string>>,
  ) {
    const entry = own(catalogue.platforms, platform);
    if (entry === undefined) {
      const names = Object.keys(catalogue.platforms).join(', ');
      throw new RangeError(`There is no platform "${platform}"; the catalogue has ${names}`);
    }
    this.#catalogue = catalogue;
    this.platform = platform;
    this.family = entry.family;
    this.#lacks = entry.lacks;
    this.#environment = environment;
  }

  /** What a factory makes under this environment; undefined where the catalogue has no such factory. */
  find(factory: string): KnownElement | undefined {
    if (!this.#known.has(factory)) this.#known.set(factory, this.#resolve(factory));
    return this.#known.get(factory);
  }

  /** Why this platform lacks an element of the catalogue, with what to do instead. */
  whyLacking(factory: string): string | undefined {
    return own(this.#lacks, factory);
  }

  factories(): readonly string[] {
    return Object.entries(this.#catalogue.elements).map(([key, entry]) => entry.factory ?? key);
  }

  /** The entry of a factory when no variable chooses another. */
  plainEntry(factory: string): ElementEntry | undefined {
    return own(this.#catalogue.elements, factory);
  }

  /** Variables that would make the factory another element, as `NAME=value`. */
  otherVariants(factory: string): readonly { setting: string; entry: ElementEntry }[] {
    const { elements } = this.#catalogue;
    const entry = own(elements, factory);
    return Object.entries(entry?.variants ?? {}).flatMap(([setting, key]) => {
      const other = own(elements, key);
      return other === undefined ? [] : [{ setting, entry: other }];
    });
  }

  #resolve(factory: string): KnownElement | undefined {
    const plain = own(this.#catalogue.elements, factory);
    // An entry with another factory's name is that factory's variant, no factory of its own.
    if (plain === undefined || (plain.factory ?? factory) !== factory) return undefined;
    const chosen = Object.entries(plain.variants ?? {}).find(([setting]) => this.#isSet(setting));
    const key = chosen?.[1] ?? factory;
    const entry = own(this.#catalogue.elements, key) ?? plain;
    return this.#describe(factory, key, entry);
  }

  #isSet(setting: string): boolean {
    const [name = '', value] = setting.split('=');
    return own(this.#environment, name) === value;
  }

  #describe(factory: string, key: string, entry: ElementEntry): KnownElement {
    const { family } = this;
    const inherited = own(this.#catalogue.bases, entry.base ?? '') ?? {};
    const find = (name: string) => own(entry.properties, name) ?? own(inherited, name);
    return {
      factory,
      entry,
      key,
      property: (name) => {
        const property = find(name);
        return property?.on === undefined || property.on === family ? property : undefined;
      },
      elsewhere: (name) => {
        const on = find(name)?.on;
        return on === family ? undefined : on;
      },
      names: () =>
        Object.entries({ ...inherited, ...entry.properties })
          .filter(([, { on }]) => on === undefined || on === family)
          .map(([name]) => name),
      capsOf: ({ caps }) => (typeof caps === 'string' ? caps : caps[family]),
    };
  }
}

/** A member of a record that came from a file: never one that every object inherits. */
export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
