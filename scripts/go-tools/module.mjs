// Programs written in Go, from the Go module proxy: what it serves is checked against Go's checksum database.
import { execFile, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { CACHE, ROOT } from '../setup/paths.mjs';

/** Where the programs lie. */
export const GO_TOOLS = join(CACHE, 'go-tools');
const OLDEST_GO = [1, 21];

/** Why nothing can be built here; undefined where it can. From 1.21 on Go fetches the newer one that a module asks for. */
export async function whyNoGo() {
  const text = await output('go', ['version']).catch(() => undefined);
  if (text === undefined) return 'there is no `go` on the PATH';
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(text) ?? [];
  const isOld = major * 100 + Number(minor) < OLDEST_GO[0] * 100 + OLDEST_GO[1];
  return isOld ? `${text.trim()} is older than ${OLDEST_GO.join('.')}` : undefined;
}

/** The unpacked module, fetched when it is not in Go's own cache. */
export async function moduleFolder(module, version) {
  const found = await output('go', ['mod', 'download', '-json', `${module}@${version}`]);
  return JSON.parse(found).Dir;
}

/**
 * Builds a package of a module as the module's own main program, so that its `replace` lines hold (`go install` refuses
 * them), unless the program is there already.
 * @param spec module, version, the package below it, the program's file, and a change to the copied source
 * @returns the program's path
 */
export async function buildGoTool({ module, version, pkg, program, change, filter }, note) {
  const file = join(GO_TOOLS, 'bin', program);
  const stamp = `${file}.version`;
  if (existsSync(file) && existsSync(stamp) && readFileSync(stamp, 'utf8') === version) return file;
  const source = join(GO_TOOLS, 'source', program);
  rmSync(source, { recursive: true, force: true });
  mkdirSync(source, { recursive: true });
  note(`${program}: fetching ${module}@${version}`);
  const from = await moduleFolder(module, version);
  cpSync(from, source, {
    recursive: true,
    filter: (path) => filter?.(path.slice(from.length + 1)) ?? true,
  });
  await run('chmod', ['-R', 'u+w', source]);
  await change?.(source);
  note(`${program}: building`);
  const unfinished = join(GO_TOOLS, `${program}.new`);
  await run('go', ['build', '-trimpath', '-ldflags=-s -w', '-o', unfinished, pkg], {
    cwd: source,
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: goFlags() },
  });
  mkdirSync(join(file, '..'), { recursive: true });
  renameSync(unfinished, file);
  writeFileSync(stamp, version);
  rmSync(source, { recursive: true, force: true });
  return file;
}

/** One package at a time: the larger ones take a gigabyte of memory each. */
function goFlags() {
  return ['-mod=mod', '-buildvcs=false', '-p=1'].join(' ');
}

function output(command, args) {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd: ROOT, maxBuffer: 1 << 24 }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
}

function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
    child.on('error', reject);
    child.on('exit', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`${command} ended with ${signal ?? code}`)),
    );
  });
}
