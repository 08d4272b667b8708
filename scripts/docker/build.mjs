// Executes the stages of a Dockerfile in folders: FROM copies one, RUN is a chroot, COPY copies.
import { spawnSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { run } from '../bare-system.mjs';
import { makeBase, OUR_CERTIFICATES } from './bases.mjs';
import { chrootWords, resolveUser, spawnIn } from './chroot.mjs';
import { assignments, expand } from './dockerfile.mjs';

const SHELL = ['/bin/sh', '-c'];
// Only for the network of this machine; a real build gets it from its host.
const NETWORK_ENV = { NODE_EXTRA_CA_CERTS: OUR_CERTIFICATES };

/**
 * Builds every stage. `say(line)` is told each step with its seconds; `log` is a descriptor for what commands print.
 * @returns {Promise<{ image: object, notes: string[] }>} the last stage as an image: root, env, workdir, user, entrypoint, cmd, healthcheck
 */
export async function buildStages(dockerfile, { context, files, work, cache, log, say }) {
  const built = new Map();
  const notes = new Set();
  let last;
  for (const [index, stage] of dockerfile.stages.entries()) {
    const label = stage.name ?? `stage ${index + 1}`;
    const root = join(work, `stage-${index}`);
    const startedAt = performance.now();
    const image = await startStage(stage, { root, built, cache, notes, log });
    say(`${label}: FROM ${stage.base} (${seconds(startedAt)} s)`);
    for (const instruction of stage.instructions) {
      const began = performance.now();
      await perform(instruction, image, { dockerfile, built, context, files, log });
      say(`${label}: ${title(instruction)} (${seconds(began)} s)`);
    }
    built.set(String(index), image);
    if (stage.name !== undefined) built.set(stage.name, image);
    last = image;
  }
  return { image: last, notes: [...notes] };
}

const seconds = (since) => ((performance.now() - since) / 1000).toFixed(1);

function title({ line, keyword, text }) {
  const short = text.replace(/\s+/g, ' ');
  return `line ${line}: ${keyword} ${short.length > 90 ? `${short.slice(0, 87)}...` : short}`;
}

async function startStage(stage, { root, built, cache, notes, log }) {
  rmSync(root, { recursive: true, force: true });
  const parent = built.get(stage.base);
  if (parent !== undefined) {
    run('cp', '-a', '--reflink=auto', parent.root, root);
    return { ...parent, root, env: { ...parent.env }, args: {} };
  }
  const base = await makeBase(stage.base, cache, log);
  for (const note of base.notes) notes.add(note);
  run('cp', '-a', '--reflink=auto', base.root, root);
  return { root, env: { ...base.env }, args: {}, workdir: '/', user: 'root', shell: SHELL };
}

async function perform(instruction, image, scene) {
  const { keyword, text, json } = instruction;
  const value = (name) => image.env[name] ?? image.args[name];
  switch (keyword) {
    case 'ARG':
      for (const [name, given] of assignments(text)) {
        image.args[name] = scene.dockerfile.args.get(name) ?? expand(given, value);
      }
      return;
    case 'ENV':
      for (const [name, given] of assignments(text)) image.env[name] = expand(given, value);
      return;
    case 'WORKDIR':
      image.workdir = resolve(image.workdir, expand(text, value));
      mkdirSync(join(image.root, image.workdir), { recursive: true });
      return;
    case 'USER':
      image.user = expand(text, value);
      resolveUser(image.root, image.user);
      return;
    case 'RUN':
      return runStep(image, json ?? [...image.shell, text], scene.log);
    case 'COPY':
      return copyStep(instruction, image, scene, value);
    case 'VOLUME':
      for (const path of json ?? text.split(/\s+/)) {
        mkdirSync(join(image.root, path), { recursive: true });
      }
      return;
    case 'SHELL':
      image.shell = json;
      return;
    case 'ENTRYPOINT':
      image.entrypoint = json ?? [...SHELL, text];
      // As in Docker: a new entry point forgets the base image's CMD.
      image.cmd = undefined;
      return;
    case 'CMD':
      image.cmd = json ?? [...SHELL, text];
      return;
    case 'HEALTHCHECK':
      image.healthcheck = {
        command: json ?? [...SHELL, text.replace(/^CMD\s+/, '')],
        ...instruction.flags,
      };
      return;
    case 'LABEL':
    case 'EXPOSE':
    case 'STOPSIGNAL':
      return;
    default:
      throw new Error(`Line ${instruction.line}: ${keyword} is not understood here`);
  }
}

async function runStep(image, command, log) {
  const env = { ...image.args, ...image.env, ...NETWORK_ENV };
  const child = spawnIn(image.root, chrootWords({ ...image, env }, command), {
    stdio: ['ignore', log, log],
  });
  const status = await new Promise((done) => child.once('exit', done));
  if (status !== 0) throw new Error(`RUN ended with ${status}: ${command.at(-1)}`);
}

/** A folder gives its contents, a file itself; a destination with `/` at its end is a folder. */
function copyStep({ line, text, flags }, image, { built, context, files }, value) {
  const words = text.split(/\s+/).map((word) => expand(word, value));
  const destination = words.pop();
  const source = flags.from === undefined ? undefined : built.get(flags.from);
  if (flags.from !== undefined && source === undefined) {
    throw new Error(`Line ${line}: there is no stage ${flags.from}`);
  }
  const target = join(image.root, resolve(image.workdir, destination));
  const intoFolder = destination.endsWith('/') || /^\.\.?$/.test(basename(destination));
  const owner = flags.chown === undefined ? undefined : resolveUser(image.root, flags.chown);
  for (const word of words) {
    const found =
      source === undefined
        ? copyFromContext(word, { context, files, target, intoFolder })
        : copyFromStage(word, { root: source.root, target, intoFolder });
    if (!found) throw new Error(`Line ${line}: COPY finds no ${word}`);
  }
  if (owner !== undefined) chownSync(target, owner.uid, owner.gid);
}

function copyFromContext(word, { context, files, target, intoFolder }) {
  const path = word.replace(/^\.?\//, '').replace(/\/$/, '');
  const isRoot = path === '' || path === '.';
  if (!isRoot && files.includes(path)) {
    copyOne(join(context, path), intoFolder ? join(target, basename(path)) : target);
    return true;
  }
  const below = isRoot ? files : files.filter((file) => file.startsWith(`${path}/`));
  for (const file of below) {
    copyOne(join(context, file), join(target, isRoot ? file : file.slice(path.length + 1)));
  }
  return below.length > 0;
}

function copyFromStage(word, { root, target, intoFolder }) {
  if (!isAbsolute(word)) throw new Error(`COPY --from with the relative path ${word}`);
  const path = join(root, word);
  if (!existsSync(path)) return false;
  if (lstatSync(path).isDirectory()) {
    mkdirSync(target, { recursive: true });
    const { status } = spawnSync('cp', ['-a', '--no-preserve=ownership', `${path}/.`, target]);
    if (status !== 0) throw new Error(`cp ${word} failed (${status})`);
  } else {
    copyOne(path, intoFolder ? join(target, basename(path)) : target);
  }
  return true;
}

function copyOne(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { verbatimSymlinks: true });
}
