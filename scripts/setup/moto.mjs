// moto, a server that speaks the protocols of AWS, for the tests of the sinks that no smaller one knows.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PYTHON, ROOT } from './paths.mjs';

const REQUIREMENTS = join(ROOT, 'scripts', 'setup', 'moto-requirements.txt');

export const MOTO_STEP = {
  name: 'moto',
  title: 'Install moto for the tests (PyPI)',
  // That one makes the environment anew.
  needs: ['python'],
  inputs: () => ({ files: [REQUIREMENTS, fileURLToPath(import.meta.url)] }),
  outputs: [join(PYTHON, 'bin', 'moto_server')],
  isOptional: true,
  remedy: 'The tests with moto are left out. To have them, see that `pip` reaches PyPI.',
  async run(task) {
    const python = join(PYTHON, 'bin', 'python');
    if (!existsSync(python)) await task.run('python3', ['-m', 'venv', PYTHON]);
    await task.run(python, ['-m', 'pip', 'install', '-q', '-r', REQUIREMENTS]);
  },
};
