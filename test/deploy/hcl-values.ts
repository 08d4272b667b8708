import type { Block, Hcl } from './hcl.ts';

/** A node of `getExpressionAst`, as far as it is read here. */
interface Node {
  readonly type: string;
  readonly children: readonly Node[];
  readonly meta?: Readonly<Record<string, unknown>>;
}
type Scope = Readonly<Record<string, unknown>>;

// Not by name: see hcl.ts.
const library = ['@cdktn', 'hcl2json'].join('/');
const { getExpressionAst } = (await import(library)) as {
  getExpressionAst(file: string, expression: string): Promise<Node>;
};

const OPERATORS: Readonly<Record<string, (left: never, right: never) => unknown>> = {
  greaterThan: (left: number, right: number) => left > right,
  add: (left: number, right: number) => left + right,
  subtract: (left: number, right: number) => left - right,
  equal: (left: unknown, right: unknown) => left === right,
  notEqual: (left: unknown, right: unknown) => left !== right,
};
const FUNCTIONS: Readonly<Record<string, (...given: never[]) => unknown>> = {
  merge: (...objects: object[]) => Object.assign({}, ...objects),
  concat: (...lists: unknown[][]) => lists.flat(),
  join: (separator: string, list: unknown[]) => list.join(separator),
  format: (pattern: string, ...values: unknown[]) =>
    pattern.replace(/%s/g, () => `${values.shift()}`),
  trimspace: (text: string) => text.trim(),
};

/**
 * What the expressions of a Terraform configuration come to: the part of the language that its tables and queries are
 * written in. What it does not know it refuses, so that nothing is guessed. `npm run check:terraform` compares with what
 * OpenTofu makes of the same.
 */
export class HclValues {
  readonly #hcl: Hcl;
  readonly #variables: Scope;

  /** @param variables in place of defaults */
  constructor(hcl: Hcl, variables: Scope = {}) {
    this.#hcl = hcl;
    this.#variables = variables;
  }

  local(name: string): Promise<unknown> {
    const block = this.#hcl.locals.find((each) => name in each);
    if (block === undefined) throw new Error(`no local ${name}`);
    return this.#value(block[name], {});
  }

  /**
   * Attributes and blocks of the resources of a block, by key of `for_each`; a single one has the key ''.
   * @param pick what of the block is wanted
   */
  async resources(
    type: string,
    name: string,
    pick: (body: Block) => Block = (body) => body,
  ): Promise<Record<string, Block>> {
    const { for_each: each, ...all } = this.#block(type, name);
    const body = pick(all);
    if (each === undefined) return { '': (await this.#value(body, {})) as Block };
    const entries = Object.entries((await this.#value(each, {})) as object);
    const made = entries.map(async ([key, value]) => {
      return [key, await this.#value(body, { each: { key, value } })] as const;
    });
    return Object.fromEntries(await Promise.all(made)) as Record<string, Block>;
  }

  #block(type: string, name: string): Block {
    const block = this.#hcl.resource[type]?.[name]?.[0];
    if (block === undefined) throw new Error(`no resource ${type}.${name}`);
    return block;
  }

  async #value(raw: unknown, scope: Scope): Promise<unknown> {
    if (typeof raw === 'string') return raw.includes('${') ? this.#expression(raw, scope) : raw;
    if (Array.isArray(raw)) return Promise.all(raw.map((item) => this.#value(item, scope)));
    if (typeof raw !== 'object' || raw === null) return raw;
    const { dynamic = {}, ...plain } = raw as Record<string, unknown>;
    const made: Record<string, unknown> = {};
    for (const [name, blocks] of Object.entries(dynamic as Record<string, Block[]>)) {
      made[name] = (
        await Promise.all(blocks.map((each) => this.#dynamic(name, each, scope)))
      ).flat();
    }
    for (const [name, item] of Object.entries(plain)) {
      const value = await this.#value(item, scope);
      // Blocks of one name lie in one list, those made by a `dynamic` as well.
      made[name] = Array.isArray(made[name])
        ? [...(made[name] as unknown[]), ...[value].flat()]
        : value;
    }
    return made;
  }

  async #dynamic(name: string, { for_each: each, content }: Block, scope: Scope) {
    const items = Object.entries((await this.#value(each, scope)) as object);
    const blocks = items.map(async ([key, value]) => {
      return (await this.#value(content, { ...scope, [name]: { key, value } })) as Block[];
    });
    return (await Promise.all(blocks)).flat();
  }

  async #expression(text: string, scope: Scope): Promise<unknown> {
    // Text of several lines has quotes of its own and no expression alone.
    const source = /^\$\{|^[^\n]*$/.test(text) ? `"${text}"` : `<<TEXT\n${text}\nTEXT\n`;
    return this.#node(await getExpressionAst('x.tf', source), scope);
  }

  async #node(node: Node, scope: Scope): Promise<unknown> {
    const { type, children, meta = {} } = node;
    const nodes = () => Promise.all(children.map((child) => this.#node(child, scope)));
    switch (type) {
      case 'literalValue':
        return literalOf(meta as { type: string; value: string });
      case 'templateWrap':
        return this.#node(children[0]!, scope);
      case 'template': {
        const text = (await nodes()).join('');
        // A text of several lines knows no escapes.
        return String(meta['value']).startsWith('"') ? text.replaceAll('\\"', '"') : text;
      }
      case 'tuple':
        return nodes();
      case 'object': {
        const items = Object.entries(meta['items'] as Record<string, string>);
        const pairs = items.map(async ([key, text]) => [
          segmentOf({ segment: key }),
          await this.#expression(`\${${text}}`, scope),
        ]);
        return Object.fromEntries(await Promise.all(pairs));
      }
      case 'conditional': {
        const [condition, yes, no] = children;
        return this.#node((await this.#node(condition!, scope)) ? yes! : no!, scope);
      }
      case 'binaryOp': {
        const operator = OPERATORS[meta['operator'] as string];
        if (operator === undefined) throw new Error(`no operator ${meta['operator']}`);
        return operator(...((await nodes()) as [never, never]));
      }
      case 'function': {
        const known = FUNCTIONS[meta['name'] as string];
        if (known === undefined) throw new Error(`no function ${meta['name']}`);
        return known(...((await nodes()) as never[]));
      }
      case 'for':
        return this.#each(meta as Record<string, string>, scope);
      case 'scopeTraversal':
        return this.#named((meta['traversal'] as { segment: string }[]).map(segmentOf), scope);
      default:
        throw new Error(`no expression ${type}: ${meta['value']}`);
    }
  }

  /** `[for key, value in collection : expression]`, or with braces and `name => expression`. */
  async #each(meta: Record<string, string>, scope: Scope): Promise<unknown> {
    const { keyVar, valVar, collectionExpression, valueExpression, keyExpression } = meta;
    const items = Object.entries(
      (await this.#expression(`\${${collectionExpression}}`, scope)) as object,
    );
    const made = items.map(([key, value]) => {
      const inner = { ...scope, ...(keyVar && { [keyVar]: key }), [valVar!]: value };
      const expressions = keyExpression ? [keyExpression, valueExpression] : [valueExpression];
      return Promise.all(expressions.map((text) => this.#expression(`\${${text}}`, inner)));
    });
    const values = await Promise.all(made);
    return keyExpression ? Object.fromEntries(values) : values.flat(1);
  }

  async #named([first, ...rest]: readonly string[], scope: Scope): Promise<unknown> {
    let value: unknown;
    let path = rest;
    if (first! in scope) value = scope[first!];
    else if (first === 'local') [value, path] = [await this.local(rest[0]!), rest.slice(1)];
    else if (first === 'var') [value, path] = [this.#variable(rest[0]!), rest.slice(1)];
    else {
      // The id of a bucket or of a workgroup is its name.
      const attribute = rest.at(-1)!;
      const made = await this.resources(first!, rest[0]!, (body) => ({
        [attribute]: body[attribute === 'id' ? ('bucket' in body ? 'bucket' : 'name') : attribute],
      }));
      [value, path] = [made[rest.length > 2 ? rest[1]! : ''], [attribute]];
    }
    for (const part of path) value = (value as Block)[part];
    if (value === undefined) throw new Error(`no value for ${[first, ...rest].join('.')}`);
    return value;
  }

  #variable(name: string): unknown {
    return this.#variables[name] ?? this.#hcl.variable[name]?.[0]?.['default'];
  }
}

function literalOf({ type, value }: { type: string; value: string }): unknown {
  if (type === 'string') return value.replaceAll('$${', '${');
  return type === 'number' ? Number(value) : value === 'true';
}

function segmentOf({ segment }: { segment: string }): string {
  return segment.startsWith('"') ? (JSON.parse(segment) as string) : segment;
}
