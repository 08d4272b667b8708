// A Dockerfile as stages of instructions, with variables put in.
import { readFileSync } from 'node:fs';
import { DockerfileParser } from 'dockerfile-ast';

/**
 * @typedef {object} Instruction
 * @property {number} line       of its first word, from 1
 * @property {string} keyword    in capitals
 * @property {string} text       arguments with continued lines joined, flags left out
 * @property {Record<string, string>} flags  `--from=build` is { from: 'build' }
 * @property {string[] | undefined} json     the words of an exec form
 *
 * @typedef {object} Stage
 * @property {number} line
 * @property {string | undefined} name
 * @property {string} base       image or earlier stage, with variables put in
 * @property {Instruction[]} instructions    without FROM
 */

/** @returns {{ file: string, text: string, args: Map<string, string>, stages: Stage[] }} */
export function readDockerfile(file, text = readFileSync(file, 'utf8')) {
  const parsed = DockerfileParser.parse(text);
  const args = new Map();
  const stages = [];
  for (const node of parsed.getInstructions()) {
    const instruction = readInstruction(node);
    if (instruction.keyword === 'FROM') {
      const [base = '', , name] = instruction.text.split(/\s+/);
      stages.push({
        line: instruction.line,
        name,
        base: expand(base, (variable) => args.get(variable)),
        instructions: [],
      });
    } else if (stages.length > 0) {
      stages.at(-1).instructions.push(instruction);
    } else if (instruction.keyword === 'ARG') {
      for (const [name, value] of assignments(instruction.text)) args.set(name, value);
    }
  }
  return { file, text, args, stages };
}

function readInstruction(node) {
  const flags = {};
  for (const flag of node.getFlags?.() ?? []) flags[flag.getName()] = flag.getValue();
  const text = (node.getArgumentsContent() ?? '').trim();
  // HEALTHCHECK has a word before its exec form.
  const list = text.replace(/^CMD\s+/, '');
  return {
    line: node.getRange().start.line + 1,
    keyword: node.getKeyword(),
    text,
    flags,
    json: jsonWords(list),
  };
}

function jsonWords(text) {
  if (!text.startsWith('[')) return undefined;
  try {
    const words = JSON.parse(text);
    return Array.isArray(words) && words.every((word) => typeof word === 'string')
      ? words
      : undefined;
  } catch {
    return undefined;
  }
}

/** `A=1 B="two words"` as pairs; quotes are taken off. The form without `=` is refused by the linter. */
export function assignments(text) {
  return [...text.matchAll(/([\w.-]+)(?:=("(?:[^"\\]|\\.)*"|'[^']*'|\S*))?/g)].map(
    ([, name, value = '']) => [name, value.replace(/^(["'])(.*)\1$/, '$2')],
  );
}

/** Puts variables in: `$name`, `${name}`, `${name:-default}`. Unknown ones are empty, as in Docker. */
export function expand(text, lookUp) {
  return text.replace(
    /\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})/g,
    (_, plain, braced, fallback = '') => lookUp(plain ?? braced) || fallback,
  );
}
