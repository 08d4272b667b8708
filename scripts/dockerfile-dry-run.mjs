#!/usr/bin/env node
// What can be proven of the Dockerfiles without a container engine.
//   npm run check:docker                                   lints both
//   sudo npm run check:docker -- --build Dockerfile        executes one, stage by stage, and runs what came out
//   options: --keep (leave the folders), --bases DIR (keep the base systems there for the next time)
// Executing makes bare systems with debootstrap, runs RUN in a chroot, copies COPY, and starts the last stage's entry
// point as its user in namespaces without a network, until HEALTHCHECK says yes. What stood in for something is listed.
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildStages } from './docker/build.mjs';
import { killAll } from './docker/chroot.mjs';
import { runImage, runInImage } from './docker/container.mjs';
import { contextFiles, snapshotContext } from './docker/context.mjs';
import { readDockerfile } from './docker/dockerfile.mjs';
import { DOCKERFILES, lintDockerfile } from './docker/lint.mjs';
import { ROOT } from './setup/paths.mjs';

const { values } = parseArgs({
  options: { build: { type: 'string' }, keep: { type: 'boolean' }, bases: { type: 'string' } },
});
if (values.build !== undefined && !DOCKERFILES.includes(values.build)) {
  console.error(`--build takes one of ${DOCKERFILES.join(', ')}`);
  process.exit(2);
}
if (values.build !== undefined && process.getuid() !== 0) {
  console.error('Executing needs root: debootstrap, chroot and mount do.');
  process.exit(2);
}

const files = contextFiles(ROOT);
const problems = DOCKERFILES.flatMap((name) =>
  lintDockerfile(readDockerfile(join(ROOT, name)), files),
);
for (const { file, line, rule, message } of problems) {
  console.log(`${file}:${line} ${rule}: ${message}`);
}
console.log(`${DOCKERFILES.join(', ')}: ${problems.length} problems`);
if (problems.length > 0) process.exitCode = 1;
else if (values.build !== undefined) await execute(values.build);

async function execute(name) {
  const startedAt = performance.now();
  const say = (line) =>
    console.log(`[${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s] ${line}`);
  const work = mkdtempSync(join(tmpdir(), 'sightline-docker-'));
  const logFile = join(work, 'output.log');
  const log = openSync(logFile, 'a');
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      killAll();
      process.exit(130);
    });
  }
  let ok = false;
  try {
    const { image, notes } = await buildStages(readDockerfile(join(ROOT, name)), {
      ...{ context: snapshotContext(ROOT, files, join(work, 'context')), files, work, log, say },
      cache: values.bases ?? join(work, 'bases'),
    });
    const { status, stdout } = await runInImage(image, ['doctor'], log);
    say(`sightline doctor in the image ends with ${status}`);
    // Where NVIDIA's parts are stood in for, it has much to say.
    for (const line of stdout.split('\n')) if (/^(?:warn|FAIL)/.test(line)) say(`  ${line}`);
    await runImage(image, { log, say });
    console.log(
      `${name}: every stage was built and the last one runs. Not executed, or stood in for:`,
    );
    for (const note of notes) console.log(`- ${note}`);
    console.log('- the container engine: no layers, no union file system, no seccomp profile');
    ok = true;
  } finally {
    if (values.keep || !ok) console.log(`Kept: ${work} (what commands printed: output.log)`);
    else rmSync(work, { recursive: true, force: true });
  }
}
