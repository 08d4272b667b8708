#!/usr/bin/env node
// Generates the JavaScript codec of proto/sightline/v1 (protobufjs static module, ES module) with its types:
// src/gen/frame.js and frame.d.ts, and the same in dist/gen, where the compiled code looks for them.
// 64-bit fields decode to Long objects, so that no value loses precision unseen. Beside it fields.js: the
// JSON name, number and message type of every field, for field masks. Does nothing when the outputs already
// belong to these inputs.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const protoDir = join(root, 'proto');
const protoFile = join(protoDir, 'sightline', 'v1', 'frame.proto');
const outputDirs = [join(root, 'src', 'gen'), join(root, 'dist', 'gen')];

// The generated types name the class of the npm package `long`, which is no dependency of ours and may
// stand in node_modules in an untyped version. Its shape is all that callers need.
const LONG_SHAPE = `interface Long {
    readonly low: number;
    readonly high: number;
    readonly unsigned: boolean;
    toNumber(): number;
    toString(): string;
}`;

const FIELDS_TYPES = `/** Message of sightline.v1 -> JSON name of a field -> its number and, where it holds one, its message. */
export declare const FIELDS: Readonly<
  Record<string, Readonly<Record<string, readonly [number: number, message?: string]>>>
>;
`;

const require = createRequire(import.meta.url);
const cliManifest = require.resolve('protobufjs-cli/package.json');
const stamp = `// inputs sha256 ${inputsHash()}`;

if (process.argv.includes('--force') || !outputDirs.every(isCurrent)) generate();

function inputsHash() {
  const hash = createHash('sha256');
  for (const file of [protoFile, cliManifest, fileURLToPath(import.meta.url)]) {
    hash.update(readFileSync(file));
  }
  return hash.digest('hex');
}

function isCurrent(dir) {
  return ['frame.js', 'frame.d.ts', 'fields.js', 'fields.d.ts'].every((name) => {
    try {
      return readFileSync(join(dir, name), 'utf8').startsWith(stamp);
    } catch {
      return false;
    }
  });
}

function generate() {
  mkdirSync(outputDirs[0], { recursive: true });
  const scratch = mkdtempSync(join(outputDirs[0], '.tmp-'));
  try {
    const output = join(scratch, 'frame.js');
    execFileSync(
      process.execPath,
      [
        join(dirname(cliManifest), 'bin', 'pbjs'),
        ...[
          '-t',
          'static-module',
          '-w',
          'esm',
          '-r',
          'sightline',
          '-p',
          protoDir,
          '-d',
          '-o',
          output,
        ],
        ...['--force-long', '--no-verify', '--no-delimited', '--no-typeurl', '--no-service'],
        protoFile,
      ],
      { stdio: 'inherit' },
    );
    const code = readFileSync(output, 'utf8');
    const types = readFileSync(join(scratch, 'frame.d.ts'), 'utf8');
    const ownTypes = types.replace(/^import Long = require\("long"\);$/m, LONG_SHAPE);
    if (ownTypes === types) {
      throw new Error('protobufjs-cli names Long in another way now: adapt scripts/gen-proto.mjs');
    }
    for (const dir of outputDirs) {
      mkdirSync(dir, { recursive: true });
      writeAtomically(join(dir, 'frame.d.ts'), `${stamp}\n${ownTypes}`);
      writeAtomically(join(dir, 'frame.js'), `${stamp}\n${code}`);
      writeAtomically(join(dir, 'fields.d.ts'), `${stamp}\n${FIELDS_TYPES}`);
      writeAtomically(join(dir, 'fields.js'), `${stamp}\n${fieldsCode()}`);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Message -> JSON name -> [number, message it holds]. Maps and types of others are leaves. */
function fieldsCode() {
  const pkg = protobuf.loadSync(protoFile).resolveAll().lookup('sightline.v1');
  const table = {};
  const visit = (namespace) => {
    for (const item of namespace.nestedArray) {
      if (!(item instanceof protobuf.Type)) continue;
      table[nameIn(pkg, item)] = Object.fromEntries(
        item.fieldsArray.map((field) => {
          const { resolvedType } = field;
          const isOurs = resolvedType instanceof protobuf.Type && !field.map;
          const message = isOurs ? nameIn(pkg, resolvedType) : undefined;
          return [field.name, message === undefined ? [field.id] : [field.id, message]];
        }),
      );
      visit(item);
    }
  };
  visit(pkg);
  return `export const FIELDS = ${JSON.stringify(table)};\n`;
}

function nameIn(pkg, type) {
  const prefix = `${pkg.fullName}.`;
  return type.fullName.startsWith(prefix) ? type.fullName.slice(prefix.length) : undefined;
}

function writeAtomically(file, text) {
  const partial = `${file}.${process.pid}.tmp`;
  writeFileSync(partial, text);
  renameSync(partial, file);
}
