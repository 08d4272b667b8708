import { SightlineError } from '../common/errors.ts';
import { VIEWS } from './views.ts';

/** Functions that may stand behind FROM: those that make rows of what they are given. */
const TABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  'range',
  'generate_series',
  'unnest',
  'json_each',
  'repeat_row',
]);

/** What may stand behind FROM; SHOW and DESCRIBE are others. */
const SOURCES: ReadonlySet<string> = new Set([
  'BASE_TABLE',
  'SUBQUERY',
  'JOIN',
  'TABLE_FUNCTION',
  'EXPRESSION_LIST',
  'PIVOT',
  'EMPTY',
  'EMPTY_FROM',
]);

/** Functions that tell of the machine or the engine, or write. */
const REFUSED_FUNCTION =
  /^(pg_.*|duckdb_.*|pragma_.*|has_.*|current_setting|getvariable|getenv|write_log|nextval|currval|current_query)$/;
/** A name that could be a file has more. */
const PLAIN_NAME = /^\w{1,64}$/;

type Node = Readonly<Record<string, unknown>>;

/**
 * Checks the tree that DuckDB's own parser made of a text (`json_serialize_sql`, which takes SELECTs alone).
 * @throws SightlineError `SL_REQUEST_INVALID` unless it is one SELECT over the views
 */
export function checkSelect(serialized: string): void {
  const tree = JSON.parse(serialized) as {
    readonly error: boolean;
    readonly error_type?: string;
    readonly error_message?: string;
    readonly statements?: readonly Node[];
  };
  if (tree.error) {
    const message = tree.error_message ?? 'it cannot be read';
    throw refuse(tree.error_type === 'not implemented' ? 'only a SELECT is allowed' : message);
  }
  if (tree.statements?.length !== 1) throw refuse('it has to be one statement');
  const names = new Set(VIEWS);
  visit(tree.statements, (node) => collectNames(node, names));
  visit(tree.statements, (node) => checkNode(node, names));
}

function refuse(why: string): SightlineError {
  return new SightlineError('SL_REQUEST_INVALID', `Cannot run the query: ${why}`);
}

/** Calls `look` with every object of the tree. */
function visit(tree: unknown, look: (node: Node) => void): void {
  const waiting = [tree];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next !== 'object' || next === null) continue;
    if (!Array.isArray(next)) look(next as Node);
    for (const value of Object.values(next)) waiting.push(value);
  }
}

/** The names that WITH gives. */
function collectNames(node: Node, names: Set<string>): void {
  const ctes = (node['cte_map'] as { readonly map?: readonly { key: string }[] } | undefined)?.map;
  for (const { key } of ctes ?? []) {
    if (!PLAIN_NAME.test(key)) throw refuse(`"${key}" is no name for WITH: letters, digits and _`);
    names.add(key.toLowerCase());
  }
}

function checkNode(node: Node, names: ReadonlySet<string>): void {
  for (const key of ['from_table', 'left', 'right', 'source']) checkSource(node[key]);
  if (node['type'] === 'BASE_TABLE') checkTable(node, names);
  const name = node['function_name'];
  if (typeof name === 'string' && REFUSED_FUNCTION.test(name.toLowerCase())) {
    throw refuse(`the function ${name} is not allowed`);
  }
  if (node['type'] !== 'TABLE_FUNCTION') return;
  const call = (node['function'] as Node | undefined)?.['function_name'];
  if (!TABLE_FUNCTIONS.has(String(call).toLowerCase())) {
    throw refuse(`the function ${String(call)} is not allowed`);
  }
}

/** Nodes of both sides of a comparison have the same keys; they are expressions, with a class. */
function checkSource(source: unknown): void {
  if (typeof source !== 'object' || source === null) return;
  const { type, class: expression } = source as Node;
  if (expression !== undefined || typeof type !== 'string' || type.endsWith('_NODE')) return;
  if (!SOURCES.has(type)) throw refuse('only a SELECT is allowed');
}

function checkTable(node: Node, names: ReadonlySet<string>): void {
  const { table_name: table, schema_name: schema, catalog_name: catalog } = node;
  const here = (catalog || 'memory') === 'memory' && (schema || 'main') === 'main';
  if (here && names.has(String(table).toLowerCase())) return;
  throw refuse(`there is no table "${String(table)}", but ${[...VIEWS].join(', ')}`);
}
