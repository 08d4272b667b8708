import assert from 'node:assert/strict';
import test from 'node:test';
import { checkValue } from '../../src/common/check.ts';
import { StreamSpec } from '../../src/pipeline/spec.ts';
import { createCompiler } from '../../src/services/compiler.ts';

/** No model is read: what these bodies ask for is refused before. */
const compiler = createCompiler({ modelsDir: '/nowhere', workDir: '/nowhere' });

for (const [what, source] of [
  ['files', { type: 'file', path: '/etc/passwd' }],
  ['web addresses', { type: 'http', url: 'http://169.254.169.254/latest/meta-data' }],
] as const) {
  test(`what comes over the API opens no ${what}`, async () => {
    const spec = checkValue({ id: 'cam', source }, StreamSpec);
    await assert.rejects(async () => compiler.stream(spec), {
      code: 'SL_SPEC_INVALID',
      problems: [
        {
          pointer: '/source/type',
          message: `must be "rtsp": ${what} can only be analysed by a pipeline of the configuration`,
        },
      ],
    });
  });
}
