import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onnxRuntimeLibrary, PATHS } from '../../src/common/paths.ts';
import { ensureModel } from '../../src/models/ensure.ts';

/** The messages that the plugin's own elements write for the first frames of the demo clip. */
export async function readPluginFrames(count: number): Promise<Uint8Array[]> {
  const { configFile } = await ensureModel('centernet-320x320');
  const folder = await mkdtemp(join(tmpdir(), 'sightline-messages-'));
  const plugins = [process.env['GST_PLUGIN_PATH'], PATHS.pluginDir].filter(Boolean).join(':');
  try {
    await promisify(execFile)(
      'gst-launch-1.0',
      [
        ...['--no-fault', '-q', 'filesrc', `location=${PATHS.demoClip}`, '!', 'decodebin'],
        ...['!', 'slstamp', 'stage=decode', '!', 'identity', `eos-after=${count + 1}`],
        ...['!', 'slinfer', `config-file-path=${configFile}`, 'model-version=1.0.0'],
        ...['!', 'sltrack', '!', 'slmeta', 'stream-id=gate', 'sensor-id=gate-2', 'session=s1'],
        ...['!', 'multifilesink', `location=${join(folder, '%04d.pb')}`],
      ],
      {
        timeout: 60_000,
        env: {
          ...process.env,
          GST_PLUGIN_PATH: plugins,
          SIGHTLINE_ONNXRUNTIME: onnxRuntimeLibrary(),
        },
      },
    );
    const files = (await readdir(folder)).sort().slice(0, count);
    return await Promise.all(files.map((file) => readFile(join(folder, file))));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
