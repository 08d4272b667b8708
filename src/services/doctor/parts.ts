import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onnxRuntimeLibrary, PATHS } from '../../common/paths.ts';
import { Host } from '../nvidia/host.ts';
import { onnxRuntimeProblem } from '../nvidia/onnx-runtime.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { exists } from './machine.ts';

const SETUP = 'npm run setup';
/** e_machine of an ELF file, by Node's name of the architecture. */
const ELF_MACHINE: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };

/** What set-up builds besides the plugin. */
export async function checkBuild(): Promise<Finding[]> {
  const built: readonly (readonly [string, string, string])[] = [
    ['addon', 'The GStreamer addon', PATHS.addon],
    ['camera', 'The built-in camera', PATHS.camera],
  ];
  return Promise.all(
    built.map(async ([check, title, file]) =>
      (await exists(file))
        ? ok(check, `${title} is built`)
        : fail(check, `${title} is not built: ${file}`, SETUP),
    ),
  );
}

const openSqlite = async (): Promise<void> => {
  const { Database } = await import('../../common/sqlite.ts');
  new Database(':memory:').close();
};

/** A binding that was made for another Node is found here, not at the first record. */
export async function checkSqlite(open: () => Promise<void> = openSqlite): Promise<Finding> {
  const check = 'sqlite';
  try {
    await open();
    return ok(check, 'SQLite opens a database');
  } catch (error) {
    const [why] = String(error instanceof Error ? error.message : error).split('\n');
    const mend = `${SETUP} (with this Node)`;
    return fail(check, `SQLite cannot be used by Node ${process.version}: ${why}`, mend);
  }
}

/** The library is there and made for this processor (it is loaded by the worker only). */
export async function checkOnnxRuntime(env: NodeJS.ProcessEnv): Promise<Finding> {
  const check = 'onnxruntime';
  const chosen = env['SIGHTLINE_ONNXRUNTIME'];
  const mend =
    chosen === undefined || chosen === ''
      ? 'npm ci --ignore-scripts && npm run setup'
      : 'Correct or unset SIGHTLINE_ONNXRUNTIME';
  let file: string;
  try {
    file = onnxRuntimeLibrary(env);
  } catch {
    return fail(check, 'The npm package onnxruntime-node is not installed', mend);
  }
  try {
    await using handle = await open(file);
    const header = Buffer.alloc(20);
    await handle.read(header, 0, header.length, 0);
    if (header.toString('latin1', 1, 4) !== 'ELF') {
      return fail(check, `${file} is no shared library`, mend);
    }
    const machine = ELF_MACHINE[process.arch];
    if (machine !== undefined && header.readUInt16LE(18) !== machine) {
      return fail(check, `${file} is made for another processor than ${process.arch}`, mend);
    }
    const cpuOnly = (await onnxRuntimeProblem(new Host({ env }))) !== undefined;
    return ok(check, `ONNX Runtime: ${file} (${cpuOnly ? 'for the CPU' : 'for NVIDIA GPUs too'})`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return fail(check, `ONNX Runtime cannot be read: ${file} (${code ?? String(error)})`, mend);
  }
}

/** A model that can be used has its manifest and its network. */
export async function checkModels(modelsDir: string): Promise<Finding> {
  const check = 'models';
  const folders = (await exists(modelsDir))
    ? await readdir(modelsDir, { withFileTypes: true })
    : [];
  const ready: string[] = [];
  for (const folder of folders) {
    if (!folder.isDirectory()) continue;
    const files = await readdir(join(modelsDir, folder.name));
    const complete = files.includes('model.yaml') && files.some((name) => name.endsWith('.onnx'));
    if (complete) ready.push(folder.name);
  }
  if (ready.length === 0) return fail(check, `No model is ready in ${modelsDir}`, SETUP);
  return ok(check, `Models: ${ready.sort().join(', ')}`);
}

/** The clip that `npm start` shows; nothing else needs it. */
export async function checkDemoClip(): Promise<Finding> {
  return (await exists(PATHS.demoClip))
    ? ok('clip', 'The demo clip is there')
    : warn('clip', 'The demo clip is missing: only `npm start` needs it', SETUP);
}
