// Rules for our Dockerfiles: those of dockerfile-utils, and what a build would find out late or never.
import { basename } from 'node:path';
import { ValidationSeverity, validate } from 'dockerfile-utils';
import { assignments } from './dockerfile.mjs';
import { aptProblems } from './lint-apt.mjs';
import { copyProblems } from './lint-copy.mjs';

export const DOCKERFILES = ['Dockerfile', 'Dockerfile.deepstream'];

/** A word of ENV, ARG or LABEL that looks like it holds a secret: images keep them for everyone to read. */
const SECRET = /(?:password|passwd|secret|token|api_?key|private_?key|credential)/i;
/** Words of a shell form: variables, redirections and lists all need the shell between Docker and the program. */
const EXEC_ONLY = ['ENTRYPOINT', 'CMD', 'HEALTHCHECK'];
/** A library folder that only one processor has. */
const ONE_PROCESSOR = /\b(?:x86_64|aarch64|amd64|arm64)\b/;

/**
 * @param dockerfile  of readDockerfile
 * @param files       of contextFiles
 * @returns {{ file: string, line: number, rule: string, message: string }[]}  in the order of lines
 */
export function lintDockerfile(dockerfile, files) {
  const file = basename(dockerfile.file);
  const problems = [
    ...general(dockerfile.text),
    ...dockerfile.stages.flatMap((stage, index) => [
      ...baseProblems(stage, dockerfile.stages.slice(0, index)),
      ...stage.instructions.flatMap(instructionProblems),
      ...aptProblems(stage, dockerfile.stages),
    ]),
    ...copyProblems(dockerfile.stages, files),
    ...lastStageProblems(dockerfile.stages),
  ];
  return problems
    .map(({ line, rule, message }) => ({ file, line, rule, message }))
    .sort((a, b) => a.line - b.line);
}

/** What dockerfile-utils knows of the language: arguments, flags, durations, ports, stage names, JSON forms. */
function general(text) {
  const { ERROR } = ValidationSeverity;
  const diagnostics = validate(text, {
    deprecatedMaintainer: ERROR,
    directiveCasing: ERROR,
    emptyContinuationLine: ERROR,
    instructionCasing: ERROR,
    instructionCmdMultiple: ERROR,
    instructionEntrypointMultiple: ERROR,
    instructionHealthcheckMultiple: ERROR,
    instructionJSONInSingleQuotes: ERROR,
    instructionWorkdirRelative: ERROR,
  });
  return diagnostics.map(({ range, message }) => ({
    line: range.start.line + 1,
    rule: 'language',
    message,
  }));
}

function baseProblems({ line, base, name }, earlier) {
  if (earlier.some((stage) => stage.name === base)) return [];
  const problem = (message) => [{ line, rule: 'base-image', message }];
  if (base === '') return problem('The base image is empty: its ARG has no default');
  if (base === name) return problem(`Stage ${name} is based on itself`);
  const tag = /:([\w.-]+)$/.exec(base)?.[1];
  if (/@sha256:[0-9a-f]{64}$/.test(base)) return [];
  if (tag === undefined) return problem(`${base} has no tag, so it means latest`);
  if (tag === 'latest') return problem(`${base} changes under the same name`);
  return [];
}

function instructionProblems({ line, keyword, text, json }) {
  const problems = [];
  const add = (rule, message) => problems.push({ line, rule, message });
  if (EXEC_ONLY.includes(keyword) && json === undefined && text !== 'NONE') {
    add('exec-form', `${keyword} is in shell form: signals reach the shell, not the program`);
  }
  if (keyword === 'ADD') add('no-add', 'ADD unpacks and downloads: use COPY');
  if (['ENV', 'ARG', 'LABEL'].includes(keyword)) {
    for (const [name] of assignments(text)) {
      if (SECRET.test(name)) add('no-secret', `${keyword} ${name} would be readable in the image`);
    }
    if (!/=/.test(text))
      add('assignment', `${keyword} without = has no default or is the old form`);
  }
  if (keyword === 'RUN') {
    if (/\bsudo\b/.test(text)) add('no-sudo', 'RUN is root until USER says otherwise');
    if (/\b(?:curl|wget)\b[^|;&]*\|/.test(text)) add('no-pipe', 'RUN runs what it downloads');
  }
  if (['RUN', 'COPY', 'ENV'].includes(keyword) && ONE_PROCESSOR.test(text)) {
    add('multi-arch', `${keyword} names a processor: the other image would be broken`);
  }
  return problems;
}

/** The stage that becomes the image: who runs it, what it starts, what says that it works. */
function lastStageProblems(stages) {
  const last = stages.at(-1);
  if (last === undefined) return [{ line: 1, rule: 'last-stage', message: 'There is no FROM' }];
  const problems = [];
  const add = (line, rule, message) => problems.push({ line, rule, message });
  const find = (keyword) => last.instructions.filter((one) => one.keyword === keyword);
  for (const keyword of ['USER', 'ENTRYPOINT', 'CMD', 'HEALTHCHECK']) {
    if (find(keyword).length === 0) {
      add(last.line, 'last-stage', `The last stage has no ${keyword}, so the base image decides`);
    }
  }
  const user = find('USER').at(-1);
  if (user !== undefined) {
    if (/^(?:root|0)(?::|$)/.test(user.text)) add(user.line, 'non-root', 'The image runs as root');
    else if (!/^\d+(?::\d+)?$/.test(user.text)) {
      add(user.line, 'numeric-user', 'Kubernetes cannot see that a named user is not root');
    }
  }
  for (const { line, keyword } of last.instructions) {
    if (user !== undefined && line > user.line && ['RUN', 'COPY', 'WORKDIR'].includes(keyword)) {
      add(
        line,
        'user-order',
        `${keyword} comes after USER: it runs without rights, or owns by root`,
      );
    }
  }
  for (const volume of find('VOLUME')) {
    const later = last.instructions.find(
      ({ line, keyword }) => line > volume.line && ['RUN', 'COPY'].includes(keyword),
    );
    if (later !== undefined) {
      add(later.line, 'volume-order', `What ${later.keyword} writes to ${volume.text} is lost`);
    }
  }
  return problems;
}
