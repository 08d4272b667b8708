import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkValue } from '../common/check.ts';
import type { Document } from '../common/document.ts';
import { SightlineError } from '../common/errors.ts';
import { PipelineSpec } from './spec.ts';

/** What Node and tsx say of a module that they do not take for one. */
const COMMON_JS =
  /Unexpected token 'export'|import statement outside a module|await is only valid|"cjs" output format/;

/** Whether a pipeline file is a program: it is run, not read. Only the command line takes them. */
export function isCodeFile(file: string): boolean {
  return /\.(?:[mc]?js|m?ts)$/.test(file);
}

/**
 * Runs a module and checks the pipeline that it exports as default. Throws `SL_SPEC_INVALID` for a pipeline that is
 * wrong (problems have no lines) and `SL_CONFIG_INVALID` for a module that does not run.
 */
export async function loadCodeFile(file: string): Promise<Document<PipelineSpec>> {
  const module = await run(file);
  if (module.default === undefined) {
    const message = `Cannot use ${file}: it has no default export; write "export default definePipeline({ ... })"`;
    throw new SightlineError('SL_CONFIG_INVALID', message);
  }
  const value = checkValue(structuredClone(module.default), PipelineSpec);
  return { file, value, locate: (problems) => problems.map((problem) => ({ ...problem })) };
}

async function run(file: string): Promise<{ readonly default?: unknown }> {
  try {
    return (await import(pathToFileURL(resolve(file)).href)) as { default?: unknown };
  } catch (cause) {
    if (cause instanceof SightlineError) throw cause;
    throw new SightlineError('SL_CONFIG_INVALID', `Cannot run ${file}: ${whyNot(file, cause)}`, {
      cause,
    });
  }
}

function whyNot(file: string, cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
    return `Node ${process.versions.node} runs no TypeScript: use 22.18 or newer, write the file as .mjs, or run this with "node --import tsx"`;
  }
  if (/\.[jt]s$/.test(file) && COMMON_JS.test(message)) {
    const name = file.replace(/(?=[jt]s$)/, 'm');
    return `it is taken for CommonJS, as the nearest package.json does not say "type": "module"; name it ${name}, or add that (${message.replace(/\s+/g, ' ')})`;
  }
  return message;
}
