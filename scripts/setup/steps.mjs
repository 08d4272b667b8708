// The steps of set-up as data: what each depends on, what it makes, and how.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { checkMayInstall, distribution, install, missingPackages } from './apt.mjs';
import { clipFacts, makeClip } from './clip.mjs';
import { SetupFailure } from './failure.mjs';
import { KAFKA_OUTPUTS, KAFKA_POM, makeKafka } from './kafka.mjs';
import { MOTO_STEP } from './moto.mjs';
import { buildWithNodeGyp, cmakeJs, configureNative } from './native.mjs';
import { buildEnv, nodeDir } from './node-headers.mjs';
import { BUILD_NATIVE, CACHE, DEMO_CLIP, ROOT, tool } from './paths.mjs';
import { PYTHON_STEP } from './python.mjs';
import { filesUnder } from './stamp.mjs';
import { packagesFor } from './system-packages.mjs';

const LOCKFILE = join(ROOT, 'package-lock.json');
const NODE_FACTS = [process.versions.modules, process.platform, process.arch, nodeDir()];
const NETWORK_REMEDY = 'Check the network (`npm ping`) and start again; what is done is kept.';
const COMPILER_REMEDY =
  'The log names the first error. If a header is missing, delete .cache/stamps and start again.';

/** Stops before anything is begun when packages are missing that may not be installed. */
export function checkPackages(purpose) {
  const missing = missingPackages(packagesFor(purpose, distribution()));
  if (missing.length > 0) checkMayInstall(missing);
}

function listNames(packages) {
  return packages.map(({ name }) => name).join(' ');
}

function aptStep(name, title, needs, packages) {
  return {
    name,
    title,
    needs,
    inputs: () => ({ facts: [packages, missingPackages(packages)].map(listNames) }),
    outputs: [],
    remedy: 'Run `apt-get update` as root, then start again.',
    // dpkg stopped in the middle leaves a system that must be repaired by hand.
    mayNotBeCut: true,
    async run(task) {
      const missing = missingPackages(packages);
      if (missing.length === 0) return;
      task.note(`installing ${missing.length} by apt:`);
      for (const { name, reason } of missing) task.note(`  ${name}: ${reason}`);
      await install(missing, task);
    },
  };
}

const NPM = {
  name: 'npm',
  title: 'Install npm packages (npm ci)',
  needs: [],
  inputs: () => ({ files: [LOCKFILE], facts: NODE_FACTS }),
  outputs: [tool('.package-lock.json')],
  remedy: NETWORK_REMEDY,
  // Install scripts do not run: the one package that must be compiled (better-sqlite3) has a step of its own, and
  // others would download. Development packages are the build tools, so NODE_ENV=production must not drop them.
  async run(task) {
    const npm = process.env.npm_execpath;
    const args = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund'];
    if (npm?.endsWith('.js')) await task.run(process.execPath, [npm, ...args], { env: buildEnv() });
    else await task.run('npm', args, { env: buildEnv() });
  },
};

// From Node 22 on the version that brings its binaries is used (src/common/sqlite.ts).
const SQLITE = 'better-sqlite3-node20';
const NEEDS_SQLITE = Number(process.versions.node.split('.')[0]) < 22;

function sqlite(toolchain) {
  return {
    name: 'sqlite',
    title: 'Compile SQLite for Node 20 (two minutes)',
    needs: [NPM.name, toolchain],
    inputs: () => ({
      files: [tool(SQLITE, 'package.json'), tool(SQLITE, 'binding.gyp')],
      facts: NODE_FACTS,
    }),
    outputs: [tool(SQLITE, 'build', 'Release', 'better_sqlite3.node')],
    remedy: COMPILER_REMEDY,
    run: (task) => buildWithNodeGyp(task, SQLITE),
  };
}

function addon(packages) {
  return {
    name: 'addon',
    title: 'Build the Node addon (node-gyp)',
    needs: [NPM.name, packages],
    inputs: () => ({
      files: filesUnder(['binding.gyp', 'native/addon', 'native/common']),
      facts: NODE_FACTS,
    }),
    outputs: [join(ROOT, 'build', 'Release', 'sightline.node')],
    remedy: COMPILER_REMEDY,
    run: (task) => buildWithNodeGyp(task),
  };
}

function plugin(packages) {
  return {
    name: 'plugin',
    title: 'Build the GStreamer plugin and the built-in camera (cmake-js)',
    needs: [NPM.name, packages],
    inputs: () => ({
      files: filesUnder(['native'], ['native/tests', 'native/addon']),
      facts: [process.env.DEEPSTREAM_ROOT],
    }),
    outputs: [
      join(BUILD_NATIVE, 'plugin', 'libgstsightline.so'),
      join(BUILD_NATIVE, 'lib', 'libsightline_parsers.so'),
      join(BUILD_NATIVE, 'bin', 'sightline-camera'),
    ],
    remedy: COMPILER_REMEDY,
    async run(task) {
      await configureNative(task);
      for (const target of ['gstsightline', 'sightline_parsers', 'sightline-camera']) {
        await cmakeJs(task, 'build', { target });
      }
    },
  };
}

const NATIVE_TESTS = {
  name: 'native-tests',
  title: 'Build the native tests (cmake-js)',
  needs: ['plugin'],
  inputs: () => ({ files: filesUnder(['native', 'configs/deepstream'], ['native/addon']) }),
  outputs: [join(BUILD_NATIVE, 'CTestTestfile.cmake')],
  remedy: COMPILER_REMEDY,
  async run(task) {
    await configureNative(task, { defines: { SIGHTLINE_TESTS: 'ON' } });
    await cmakeJs(task, 'build');
  },
};

const PROTO = {
  name: 'proto',
  title: 'Generate the protobuf code',
  needs: [NPM.name],
  inputs: () => ({ files: filesUnder(['proto', 'scripts/gen-proto.mjs']) }),
  outputs: [join(ROOT, 'src', 'gen', 'frame.js'), join(ROOT, 'dist', 'gen', 'frame.js')],
  remedy: 'The log names the line of the .proto file.',
  run: (task) => task.run(process.execPath, [join(ROOT, 'scripts', 'gen-proto.mjs')]),
};

const TYPESCRIPT = {
  name: 'typescript',
  title: 'Compile TypeScript (tsc)',
  needs: [NPM.name, PROTO.name],
  inputs: () => ({
    files: filesUnder([
      ...['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'],
      'scripts/bundle.mjs',
    ]),
  }),
  outputs: [join(ROOT, 'dist', 'cli.js')],
  remedy: 'The log names the file and the line.',
  async run(task) {
    // The compiler's own record would make it write nothing where dist/ is gone.
    if (!existsSync(join(ROOT, 'dist', 'cli.js')))
      rmSync(join(CACHE, 'tsc.tsbuildinfo'), { force: true });
    await task.run(process.execPath, [
      tool('typescript', 'bin', 'tsc'),
      '-p',
      'tsconfig.build.json',
    ]);
    await task.run(process.execPath, [join(ROOT, 'scripts', 'bundle.mjs')]);
  },
};

function testServers(needs) {
  const list = packagesFor('test-servers', distribution());
  const step = aptStep('servers', 'Check the packages of test servers', [needs], list);
  return {
    ...step,
    isOptional: true,
    remedy: 'Their tests are left out. To have them, install the packages yourself.',
    async run(task) {
      const missing = missingPackages(list);
      if (missing.length > 0) checkMayInstall(missing);
      await step.run(task);
    },
  };
}

const KAFKA_STEP = {
  name: 'kafka',
  title: 'Fetch Apache Kafka for the tests (Maven Central)',
  needs: ['servers'],
  inputs: () => ({ files: [KAFKA_POM, fileURLToPath(new URL('kafka.mjs', import.meta.url))] }),
  outputs: KAFKA_OUTPUTS,
  isOptional: true,
  remedy: 'The tests with Kafka are left out. To have them, see that `mvn` reaches Maven Central.',
  run: makeKafka,
};

export const MODEL = 'centernet-512x384';

/** Of the tests with whole servers. */
const SMALL_MODEL = 'centernet-320x320';

const modelStep = (name, model) => ({
  name,
  title: `Convert the model ${model} to ONNX`,
  needs: [TYPESCRIPT.name],
  inputs: () => ({
    files: [
      ...filesUnder(['dist/models'], []).filter((file) => file.endsWith('.js')),
      ...filesUnder(['models']).filter(
        (file) => /\.(yaml|txt)$/.test(file) && !file.endsWith('nvinfer.txt'),
      ),
    ],
    facts: [
      JSON.parse(readFileSync(LOCKFILE, 'utf8')).packages['node_modules/@vladmandic/human']
        ?.integrity,
    ],
  }),
  outputs: ['nvinfer.txt', 'model.onnx'].map((file) => join(ROOT, 'models', model, file)),
  remedy:
    'Delete node_modules and start again: the weights come with the npm package @vladmandic/human.',
  run: (task) =>
    task.run(process.execPath, [
      '--input-type=module',
      '-e',
      `const { ensureModel } = await import(${JSON.stringify(pathToFileURL(join(ROOT, 'dist', 'models', 'ensure.js')).href)});
       await ensureModel(${JSON.stringify(model)});`,
    ]),
});

function demoClip(packages, chosen) {
  return {
    name: 'clip',
    title: 'Prepare the demo clip',
    needs: [packages],
    inputs: () => ({ facts: clipFacts(chosen) }),
    outputs: [DEMO_CLIP],
    remedy: 'Set SIGHTLINE_DEMO_CLIP=/path/to/a/video to use a clip of yours.',
    run: (task) => makeClip(chosen, task),
  };
}

/** All steps for `npm start` ('run') or `npm test` ('test'), the longest first among those that may run at once. */
export function stepsFor(purpose, env = process.env) {
  const list = packagesFor(purpose, distribution());
  const toolchain = aptStep(
    'toolchain',
    'Check the compiler',
    [],
    list.filter(({ first }) => first),
  );
  const packages = aptStep(
    `packages-${purpose}`,
    'Check system packages',
    [toolchain.name],
    list.filter(({ first }) => !first),
  );
  const steps = [
    toolchain,
    NPM,
    packages,
    ...(NEEDS_SQLITE ? [sqlite(toolchain.name)] : []),
    plugin(packages.name),
    // The tests count the people of the built-in clip, so a chosen one is for the demo alone.
    demoClip(packages.name, purpose === 'test' ? undefined : env.SIGHTLINE_DEMO_CLIP),
    addon(packages.name),
    PROTO,
    TYPESCRIPT,
    modelStep('model', MODEL),
  ];
  if (purpose !== 'test') return steps;
  const small = modelStep('model-test', SMALL_MODEL);
  return [
    ...steps,
    small,
    NATIVE_TESTS,
    testServers(packages.name),
    KAFKA_STEP,
    PYTHON_STEP,
    MOTO_STEP,
  ];
}

/** The named steps and those they need, in the order of `steps`; all without names. Throws SetupFailure for a wrong name. */
export function chooseSteps(steps, names) {
  if (names === undefined) return steps;
  const byName = new Map(steps.map((step) => [step.name, step]));
  const chosen = new Set();
  const choose = (name) => {
    const step = byName.get(name);
    if (step === undefined) {
      throw new SetupFailure(`There is no set-up step "${name}".`, {
        remedy: `Name some of ${[...byName.keys()].join(', ')}.`,
      });
    }
    if (chosen.has(step)) return;
    chosen.add(step);
    step.needs.forEach(choose);
  };
  names.forEach(choose);
  return steps.filter((step) => chosen.has(step));
}
