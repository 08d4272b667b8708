// Python for the tests of examples/python: an environment of its own with the packages that the examples ask for, and the
// code that protoc makes of frame.proto.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PYTHON, ROOT } from './paths.mjs';
import { filesUnder } from './stamp.mjs';

const GENERATED = join(PYTHON, 'generated');
const REQUIREMENTS = join(ROOT, 'examples', 'python', 'requirements.txt');

export const PYTHON_STEP = {
  name: 'python',
  title: 'Install what the Python examples need (PyPI)',
  needs: ['servers'],
  inputs: () => ({ files: [REQUIREMENTS, ...filesUnder(['proto', 'scripts/setup/python.mjs'])] }),
  outputs: [join(GENERATED, 'sightline', 'v1', 'frame_pb2.py')],
  isOptional: true,
  remedy:
    'The tests of the Python examples are left out. To have them, see that `pip` reaches PyPI.',
  async run(task) {
    rmSync(PYTHON, { recursive: true, force: true });
    await task.run('python3', ['-m', 'venv', PYTHON]);
    const python = join(PYTHON, 'bin', 'python');
    await task.run(python, ['-m', 'pip', 'install', '-q', '-r', REQUIREMENTS]);
    mkdirSync(GENERATED);
    const proto = join(ROOT, 'proto');
    await task.run(python, [
      ...['-m', 'grpc_tools.protoc', '-I', proto, `--python_out=${GENERATED}`],
      join(proto, 'sightline', 'v1', 'frame.proto'),
    ]);
  },
};
