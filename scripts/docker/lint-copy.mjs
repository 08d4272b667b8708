// COPY in a Dockerfile: what it names is in the build context, or an earlier stage makes it.
import { posix, relative } from 'node:path';
import { ROOT } from '../setup/paths.mjs';
import { stepsFor } from '../setup/steps.mjs';

/** What stages take from base images, by image. */
const BASE_CONTENTS = [
  [/^node:/, ['/usr/local/bin/node', '/usr/local/include/node', '/usr/local/lib/node_modules/npm']],
];
const RUNS_SETUP = /\bnpm run setup\b|scripts\/setup\/main\.mjs/;

/** What `npm run setup` makes, relative to the checkout. */
function setupOutputs() {
  return stepsFor('run').flatMap(({ outputs }) => outputs.map((path) => relative(ROOT, path)));
}

export function copyProblems(stages, files) {
  const problems = [];
  /** Paths in each stage that we know of, by index; and the folder that RUN and COPY work in. */
  const states = [];
  for (const [index, stage] of stages.entries()) {
    const parent =
      states[stages.findIndex(({ name }) => name !== undefined && name === stage.base)];
    const state = {
      paths: new Set(parent?.paths ?? contentsOf(stage.base)),
      workdir: parent?.workdir ?? '/',
    };
    states.push(state);
    for (const instruction of stage.instructions) {
      const { line, keyword, text } = instruction;
      if (keyword === 'WORKDIR') state.workdir = posix.resolve(state.workdir, text);
      if (keyword === 'RUN' && RUNS_SETUP.test(text)) {
        for (const path of setupOutputs()) state.paths.add(posix.join(state.workdir, path));
      }
      if (keyword === 'COPY') {
        const scene = { stages, states, index, files };
        for (const [rule, message] of copyInto(instruction, state, scene)) {
          problems.push({ line, rule, message });
        }
      }
    }
  }
  return problems;
}

function contentsOf(base) {
  return BASE_CONTENTS.find(([pattern]) => pattern.test(base))?.[1] ?? [];
}

/** Adds what the instruction copies to `state`; returns what is wrong with it. */
function copyInto({ text, flags }, state, { stages, states, index, files }) {
  const words = text.split(/\s+/);
  const destination = words.pop();
  const problems = [];
  const isFolder = destination.endsWith('/') || ['.', '..'].includes(posix.basename(destination));
  if (words.length > 1 && !isFolder) {
    problems.push(['copy-folder', `Several files go to ${destination}, which does not end with /`]);
  }
  if (!destination.startsWith('/') && state.workdir === '/') {
    problems.push(['workdir', `COPY to ${destination} before WORKDIR says where that is`]);
  }
  const from = flags.from === undefined ? undefined : sourceStage(flags.from, stages, index);
  if (flags.from !== undefined && from === undefined) {
    problems.push(['copy-from', `There is no stage ${flags.from} before this one`]);
    return problems;
  }
  const target = posix.resolve(state.workdir, destination);
  for (const word of words) {
    const found =
      from === undefined ? inContext(word, files) : below([...states[from].paths], word);
    if (found.length === 0) {
      const where = from === undefined ? 'the build context' : `stage ${flags.from}`;
      problems.push(['copy-source', `${word} is not in ${where}`]);
    }
    for (const rest of found) {
      const name = rest === '' && isFolder ? posix.basename(word) : rest;
      state.paths.add(posix.join(target, name));
    }
  }
  return problems;
}

function sourceStage(name, stages, index) {
  const found = stages.findIndex(
    (stage, at) => at < index && (stage.name === name || String(at) === name),
  );
  return found === -1 ? undefined : found;
}

/** Paths below a source of the context, relative to it; '' for a file itself. */
function inContext(word, files) {
  const path = posix
    .normalize(word)
    .replace(/^\.?\//, '')
    .replace(/\/$/, '');
  return path === '.' || path === '' ? files : below(files, path);
}

/** Of `paths`, those at or below `path`, relative to it. A path below one that is known as a whole is known, too. */
function below(paths, path) {
  const folder = path.replace(/\/$/, '');
  return paths.flatMap((known) => {
    if (known === folder || folder.startsWith(`${known}/`)) return [''];
    return known.startsWith(`${folder}/`) ? [known.slice(folder.length + 1)] : [];
  });
}
