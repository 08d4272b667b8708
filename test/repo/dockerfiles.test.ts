import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../../src/common/paths.ts';

interface Problem {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}
type Dockerfile = object;

const { contextFiles, ignoreRules } = (await import(join(ROOT, 'scripts/docker/context.mjs'))) as {
  contextFiles(root: string): string[];
  ignoreRules(text: string): (path: string) => boolean;
};
const { readDockerfile } = (await import(join(ROOT, 'scripts/docker/dockerfile.mjs'))) as {
  readDockerfile(file: string, text?: string): Dockerfile;
};
const { lintDockerfile, DOCKERFILES } = (await import(join(ROOT, 'scripts/docker/lint.mjs'))) as {
  lintDockerfile(dockerfile: Dockerfile, files: string[]): Problem[];
  DOCKERFILES: string[];
};

const files = contextFiles(ROOT);
const textOf = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const lint = (name: string, text = textOf(name)) =>
  lintDockerfile(readDockerfile(name, text), files);

/** The rules that a Dockerfile breaks after one edit; the edit must change something. */
function rulesAfter(edit: (text: string) => string, name = 'Dockerfile'): string[] {
  const text = textOf(name);
  const edited = edit(text);
  assert.notEqual(edited, text, 'The edit changes nothing');
  return [...new Set(lint(name, edited).map(({ rule }) => rule))];
}

const replace = (from: string | RegExp, to: string) => (text: string) => text.replace(from, to);
const beforeUser = (line: string) => replace(/^USER /m, `${line}\nUSER `);
const append = (line: string) => (text: string) => `${text}${line}\n`;

describe('the Dockerfiles', () => {
  for (const name of DOCKERFILES) {
    it(`${name} breaks no rule`, () => assert.deepEqual(lint(name), []));
  }

  const broken: readonly [string, (text: string) => string, readonly string[], string?][] = [
    ['an unknown instruction', append('RUNN true'), ['language']],
    [
      'an unknown flag',
      replace('COPY --from=build', 'COPY --form=build'),
      ['language', 'copy-source'],
    ],
    ['a duration without a unit', replace('--timeout=5s', '--timeout=5'), ['language']],
    ['a port that is none', replace('EXPOSE 8080', 'EXPOSE 80a'), ['language']],
    [
      'single quotes in an exec form',
      replace('["node", "bin/sightline.js"]', "['node', 'x']"),
      ['language', 'exec-form'],
    ],
    [
      'two stages of one name',
      replace('FROM run AS build', 'FROM run AS run'),
      ['language', 'copy-from'],
    ],
    ['a second CMD', append('CMD ["doctor"]'), ['language']],
    ['an empty line in a RUN', replace('      cmake \\\n', '      cmake \\\n\n'), ['language']],
    ['a base image without a tag', replace('node:22-bookworm-slim', 'node'), ['base-image']],
    ['a base image that moves', replace('node:22-bookworm-slim', 'node:latest'), ['base-image']],
    [
      'a base image without a default',
      replace(/^ARG NODE_IMAGE=.*$/m, 'ARG NODE_IMAGE'),
      ['base-image'],
    ],
    [
      'a base image by a wrong variable',
      replace('NODE_IMAGE}', 'NODE_IMGE}'),
      ['language', 'base-image'],
    ],
    [
      'a source that is not there',
      replace('COPY binding.gyp ./', 'COPY bindings.gyp ./'),
      ['copy-source'],
    ],
    [
      'a source that .dockerignore leaves out',
      replace('COPY native ./native', 'COPY native/tests ./native'),
      ['copy-source'],
    ],
    [
      'a stage that is not there',
      replace('--from=build /app/dist', '--from=builder /app/dist'),
      ['copy-from'],
    ],
    [
      'a later stage as source',
      replace('RUN node scripts/setup/main.mjs --only npm', 'COPY --from=2 /app/dist ./dist'),
      ['copy-from'],
    ],
    [
      'what no step makes',
      replace('/app/build/Release/sightline.node', '/app/build/Debug/sightline.node'),
      ['copy-source'],
    ],
    [
      'outputs of a set-up that never ran',
      (text) => text.replaceAll(/^RUN .*(?:setup).*$/gm, 'RUN true'),
      ['copy-source'],
    ],
    [
      'several files onto one name',
      replace('.npmrc ./\n', '.npmrc here\n'),
      ['language', 'copy-folder'],
    ],
    ['a relative COPY before WORKDIR', replace('WORKDIR /app\n', ''), ['workdir', 'copy-source']],
    ['a relative WORKDIR', replace('WORKDIR /app', 'WORKDIR app'), ['language']],
    [
      'a shell-form ENTRYPOINT',
      replace(/^ENTRYPOINT .*$/m, 'ENTRYPOINT node bin/sightline.js'),
      ['exec-form'],
    ],
    [
      'a shell-form HEALTHCHECK',
      replace(/CMD \["node", "-e".*$/m, 'CMD curl localhost'),
      ['exec-form'],
    ],
    ['ADD', replace('COPY binding.gyp ./', 'ADD binding.gyp ./'), ['no-add']],
    ['a secret in ENV', replace('ENV NODE_ENV=production', 'ENV MQTT_PASSWORD=x'), ['no-secret']],
    [
      'a secret in ARG',
      replace('FROM run AS build', 'FROM run AS build\nARG NGC_API_KEY=x'),
      ['no-secret'],
    ],
    ['the old form of ENV', beforeUser('ENV A b'), ['assignment']],
    ['sudo', beforeUser('RUN sudo true'), ['volume-order', 'no-sudo']],
    [
      'a script from the network',
      beforeUser('RUN curl https://example.com/x | sh'),
      ['volume-order', 'no-pipe'],
    ],
    [
      'the library folder of one processor',
      beforeUser('ENV LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu'),
      ['multi-arch'],
    ],
    ['no USER', replace(/^USER .*$/m, ''), ['last-stage']],
    ['no HEALTHCHECK', replace(/^HEALTHCHECK .*$/m, ''), ['last-stage']],
    ['root', replace(/^USER .*$/m, 'USER root'), ['non-root']],
    ['root by number', replace(/^USER .*$/m, 'USER 0:0'), ['non-root']],
    ['a user by name', replace(/^USER .*$/m, 'USER node'), ['numeric-user']],
    ['RUN after USER', append('RUN true'), ['user-order', 'volume-order']],
    [
      'writing to a volume after VOLUME',
      replace(/^EXPOSE/m, 'RUN touch data/x\nEXPOSE'),
      ['volume-order'],
    ],
    [
      'a package that does not exist',
      replace('gstreamer1.0-tools', 'gstreamer1.0-tool'),
      ['apt-package'],
    ],
    ['apt in place of apt-get', replace('apt-get update', 'apt update'), ['apt-get', 'apt-update']],
    [
      'an install with old lists',
      replace('RUN apt-get update && apt-get install', 'RUN apt-get install'),
      ['apt-update'],
    ],
    [
      'a set-up with old lists',
      replace('apt-get update && npm run setup', 'npm run setup'),
      ['apt-update'],
    ],
    ['an update alone', beforeUser('RUN apt-get update'), ['volume-order', 'apt-update']],
    ['an install that asks', replace('install -y ', 'install '), ['apt-yes']],
    ['recommended packages', replace(' --no-install-recommends', ''), ['apt-recommends']],
    [
      'lists that stay',
      replace(/ \\\n {4}&& rm -rf \/var\/lib\/apt\/lists\/\*/, ''),
      ['apt-lists'],
    ],
    [
      'a part of Node that its image has not',
      replace('/usr/local/bin/node /', '/usr/bin/node /'),
      ['copy-source'],
      'Dockerfile.deepstream',
    ],
    [
      'two base images, one of them moving',
      replace(
        'DEEPSTREAM_IMAGE=nvcr.io/nvidia/deepstream:9.1-triton-multiarch',
        'DEEPSTREAM_IMAGE=nvcr.io/nvidia/deepstream',
      ),
      ['base-image'],
      'Dockerfile.deepstream',
    ],
  ];
  for (const [what, edit, rules, name] of broken) {
    it(`would be refused with ${what}`, () => {
      assert.deepEqual(rulesAfter(edit, name).sort(), [...rules].sort());
    });
  }

  it('name the line of a problem', () => {
    const text = textOf('Dockerfile').replace('COPY binding.gyp ./', 'COPY bindings.gyp ./');
    const line = text.split('\n').indexOf('COPY bindings.gyp ./') + 1;
    assert.deepEqual(lint('Dockerfile', text), [
      {
        file: 'Dockerfile',
        line,
        rule: 'copy-source',
        message: 'bindings.gyp is not in the build context',
      },
    ]);
  });
});

describe('the build context', () => {
  it('has the sources and neither what is built nor what is secret', () => {
    for (const path of [
      'package.json',
      '.npmrc',
      'src/cli.ts',
      'native/plugin/plugin.cc',
      'web/index.html',
    ]) {
      assert.ok(files.includes(path), path);
    }
    const wrong = files.filter((path) =>
      /^(?:node_modules|\.git|dist|build|data|test|docs)\//.test(path),
    );
    assert.deepEqual(wrong, []);
  });

  it('follows the rules of .dockerignore', () => {
    const isIgnored = ignoreRules(
      '# comment\n*.log\nbuild-*\n**/.env\n/data\nmodels/*/*.onnx\n!keep.log\n',
    );
    for (const path of [
      'a.log',
      'build-native/x/y',
      '.env',
      'deep/er/.env',
      'data/x',
      'models/a/b.onnx',
    ]) {
      assert.ok(isIgnored(path), path);
    }
    for (const path of [
      'sub/a.log',
      'keep.log',
      'rebuild-native',
      'my/data',
      'models/b.onnx',
      'env',
    ]) {
      assert.ok(!isIgnored(path), path);
    }
  });
});
