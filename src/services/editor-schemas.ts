import type { TSchema } from 'typebox';
import { PipelineSpec, StreamSpec } from '../pipeline/spec.ts';
import { ServerConfig } from './config/server.ts';
import { InferConfig } from './infer/config.ts';

interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly patternProperties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly oneOf?: readonly Node[];
  readonly anyOf?: readonly Node[];
}

const FILES: Readonly<Record<string, TSchema>> = {
  pipeline: PipelineSpec,
  stream: StreamSpec,
  server: ServerConfig,
  infer: InferConfig,
};

/** JSON Schema files (draft 7) for editors, by name: configs/schemas/<name>.schema.json. */
export function editorSchemas(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(FILES).map(([name, schema]) => {
      const document = {
        $schema: 'http://json-schema.org/draft-07/schema#',
        title: `Sightline ${name}`,
        ...(JSON.parse(JSON.stringify(schema, forEditors)) as object),
      };
      return [name, `${JSON.stringify(document, undefined, 2)}\n`];
    }),
  );
}

/** In a file `${NAME}` may stand in every text; a discriminator is OpenAPI's, not JSON Schema's. */
function forEditors(key: string, value: unknown): unknown {
  if (key === 'discriminator') return undefined;
  if (key !== 'pattern' || typeof value !== 'string') return value;
  return `(?:${value})|\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}`;
}

/** What may be written in a spec, as TypeScript: the text of src/pipeline/spec-input.ts. */
export function specInputTypes(): string {
  return [
    '/**',
    ' * What may be written in specs: made from the schemas of spec.ts (test/services/editor-schemas.test.ts says how).',
    ' */',
    `export type PipelineInput = ${typeText(PipelineSpec as unknown as Node)};`,
    '',
    `export type StreamInput = ${typeText(StreamSpec as unknown as Node)};`,
    '',
  ].join('\n');
}

function typeText(node: Node): string {
  const variants = node.oneOf ?? node.anyOf;
  if (variants !== undefined) return variants.map((one) => `(${typeText(one)})`).join(' | ');
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum !== undefined) return node.enum.map((one) => JSON.stringify(one)).join(' | ');
  switch (node.type) {
    case 'object':
      return objectText(node);
    case 'array':
      return `readonly (${typeText(node.items ?? {})})[]`;
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
    case 'boolean':
      return node.type;
    default:
      throw new Error(`No type is known for ${JSON.stringify(node)}`);
  }
}

function objectText({ properties = {}, patternProperties = {}, required = [] }: Node): string {
  const own = Object.entries(properties).map(([name, node]) => {
    const comment = node.description === undefined ? '' : `/** ${node.description} */\n`;
    return `${comment}readonly ${name}${required.includes(name) ? '' : '?'}: ${typeText(node)};`;
  });
  const others = Object.values(patternProperties).map(
    (node) => `readonly [name: string]: ${typeText(node)};`,
  );
  return `{\n${[...own, ...others].join('\n')}\n}`;
}
