import { readFile, stat } from 'node:fs/promises';
import type { Static, TSchema } from 'typebox';
import { findProblems, problemsError, type ValueProblem } from './check.ts';
import { type ErrorCode, type Problem, SightlineError } from './errors.ts';
import { substituteEnv } from './substitute.ts';
import { parseText } from './yaml-text.ts';

/** Larger files are refused unread. */
const MAX_BYTES = 1024 * 1024;

/** A checked document: its value, and the way from JSON pointers back to lines. */
export interface Document<T> {
  readonly file: string;
  /** Defaults applied, variables filled in. */
  readonly value: T;
  /** Gives problems found later (unknown model, duplicate id) their line and column. */
  locate(problems: readonly ValueProblem[]): Problem[];
}

export interface DocumentOptions {
  /** Name for messages. Default `document`. */
  readonly file?: string;
  /** Code of the error. Default `SL_SPEC_INVALID`. */
  readonly code?: ErrorCode;
  /** Where `${NAME}` is looked up. Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads and checks a YAML or JSON file (see `parseDocument`).
 *
 * @throws SightlineError with `code`: the file cannot be read, is larger than 1 MiB, or has problems.
 */
export async function loadDocument<T extends TSchema>(
  file: string,
  schema: T,
  options: Omit<DocumentOptions, 'file'> = {},
): Promise<Document<Static<T>>> {
  const { code = 'SL_SPEC_INVALID' } = options;
  return parseDocument(await readText(file, code), schema, { ...options, file });
}

/**
 * Checks a YAML or JSON text against a schema: syntax, `${NAME}` in string values, unknown keys, types and ranges.
 *
 * @throws SightlineError with `code` and every problem at once in `problems`, each with pointer, line and column.
 */
export function parseDocument<T extends TSchema>(
  text: string,
  schema: T,
  options: DocumentOptions = {},
): Document<Static<T>> {
  const { file = 'document', code = 'SL_SPEC_INVALID', env = process.env } = options;
  const parsed = parseText(text);
  if (parsed.problems.length > 0) throw problemsError(parsed.problems, { code, subject: file });

  const filled = substituteEnv(parsed.value, env);
  const found = findProblems(filled.value, schema, filled.hidden);
  const broken = new Set(filled.problems.map(({ pointer }) => pointer));
  const problems = [
    ...filled.problems,
    // A text that lacks its variable is wrong for that reason alone.
    ...found.problems.filter(({ pointer }) => !broken.has(pointer)),
  ];
  const locate = (list: readonly ValueProblem[]) =>
    list
      .map(({ pointer, message, at }) => ({ pointer, message, ...parsed.locate(pointer, at) }))
      .sort((a, b) => a.line - b.line || a.column - b.column);
  if (problems.length > 0) throw problemsError(locate(problems), { code, subject: file });
  return { file, value: found.value as Static<T>, locate };
}

async function readText(file: string, code: ErrorCode): Promise<string> {
  try {
    const found = await stat(file);
    if (found.isDirectory()) throw new SightlineError(code, `Cannot read ${file}: it is a folder`);
    if (!found.isFile())
      throw new SightlineError(code, `Cannot read ${file}: it is no regular file`);
    const { size } = found;
    if (size > MAX_BYTES) {
      throw new SightlineError(
        code,
        `Cannot read ${file}: it has ${size} bytes, ${MAX_BYTES} are allowed`,
      );
    }
    const bytes = await readFile(file);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof SightlineError) throw error;
    throw new SightlineError(code, `Cannot read ${file}: ${readFailure(error)}`, { cause: error });
  }
}

function readFailure(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'reading it is not permitted';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it is not UTF-8 text';
  return message;
}
