import { join } from 'node:path';
import { PATHS, ROOT } from '../common/paths.ts';
import { checkDeepStream } from './doctor/deepstream/check.ts';
import type { Finding } from './doctor/finding.ts';
import { checkGStreamer, inspectGStreamer } from './doctor/gstreamer.ts';
import { checkClock, checkDataDir, checkNode, checkPort } from './doctor/machine.ts';
import {
  checkBuild,
  checkDemoClip,
  checkModels,
  checkOnnxRuntime,
  checkSqlite,
} from './doctor/parts.ts';
import { Host } from './nvidia/host.ts';

export type { Finding } from './doctor/finding.ts';

export interface DoctorOptions {
  /** One JSON document in place of lines. Default false. */
  readonly json?: boolean;
  /** Takes each line of the report. Default: stdout. */
  readonly print?: (line: string) => void;
  /** Default: data/ of the checkout. */
  readonly dataDir?: string;
  /** Default: models/ of the checkout. */
  readonly modelsDir?: string;
  /** Where the server will listen. Default 127.0.0.1:8080. */
  readonly http?: { readonly host: string; readonly port: number };
  /** Default: that of the process. */
  readonly env?: NodeJS.ProcessEnv;
  /** The machine whose NVIDIA parts are looked at. Default: this one, with `env`. */
  readonly host?: Host;
}

const MARKS = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;

/** Looks at everything that Sightline needs on this machine. Never throws for what it finds. */
export async function examine(options: DoctorOptions = {}): Promise<readonly Finding[]> {
  const { env = process.env, http = { host: '127.0.0.1', port: 8080 } } = options;
  const host = options.host ?? new Host({ env });
  const dataDir = options.dataDir ?? join(ROOT, 'data');
  const inspection = await inspectGStreamer(host);
  const findings = await Promise.all([
    checkNode(),
    checkGStreamer(inspection, host),
    checkBuild(),
    checkSqlite(),
    checkOnnxRuntime(env),
    checkModels(options.modelsDir ?? PATHS.models),
    checkDemoClip(),
    checkDataDir(dataDir),
    checkPort(http.host, http.port),
    checkClock(),
    checkDeepStream({ host, inspection, enginesDir: join(dataDir, 'engines') }),
  ]);
  return findings.flat();
}

/** Prints what `examine` found and how to mend it. Resolves to the exit status: 1 when something fails, else 0. */
export async function runDoctor(options: DoctorOptions = {}): Promise<number> {
  const print = options.print ?? ((line: string) => console.log(line));
  const findings = await examine(options);
  const failures = findings.filter(({ level }) => level === 'fail').length;
  if (options.json === true) {
    print(JSON.stringify({ ok: failures === 0, findings }, null, 2));
    return failures === 0 ? 0 : 1;
  }
  for (const { check, level, what, mend } of findings) {
    print(`${MARKS[level]} ${check.padEnd(11)} ${what}`);
    if (mend !== undefined) print(`                 to mend: ${mend}`);
  }
  print(
    failures === 0
      ? 'Sightline can run on this machine.'
      : `${failures} problem${failures === 1 ? '' : 's'} to mend.`,
  );
  return failures === 0 ? 0 : 1;
}
