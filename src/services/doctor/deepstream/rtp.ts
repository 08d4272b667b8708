import type { Host } from '../../nvidia/host.ts';
import { DEEPSTREAM_FOLDER } from '../../nvidia/installation.ts';
import { type Finding, ok, warn } from '../finding.ts';

/** NVIDIA builds these three with patches; dpkg knows the checksums of Ubuntu's. */
const PATCHED: Readonly<Record<string, readonly string[]>> = {
  'gstreamer1.0-plugins-good': ['libgstrtpmanager.so', 'libgstrtsp.so'],
  'gstreamer1.0-plugins-bad': ['libgstvideoparsersbad.so'],
};
const CHECK = 'rtp';

/**
 * Whether the RTP plugins are Ubuntu's or others, by `dpkg --verify`: a file that differs from its package was replaced.
 * It cannot tell by whom.
 */
export async function checkRtp(host: Host): Promise<Finding[]> {
  const stock: string[] = [];
  for (const [packageName, files] of Object.entries(PATCHED)) {
    const result = await host.run('dpkg', ['--verify', packageName]);
    if (result.kind === 'absent' || result.kind === 'hung') {
      return [
        warn(
          CHECK,
          `dpkg cannot tell whether the RTP plugins are NVIDIA's patched ones (${result.kind})`,
          `cmp /tmp99/libgstrtpmanager.so /usr/lib/${host.triplet}/gstreamer-1.0/libgstrtpmanager.so`,
        ),
      ];
    }
    const changed = result.stdout.split('\n').filter((line) => /^..5/.test(line));
    stock.push(...files.filter((file) => !changed.some((line) => line.endsWith(`/${file}`))));
  }
  if (stock.length === 0) {
    return [ok(CHECK, "The RTP plugins are not Ubuntu's: patched ones are in place")];
  }
  return [
    warn(
      CHECK,
      `${stock.join(', ')} are Ubuntu's: GStreamer 1.24.2's can hang on a slow camera or at the end of a stream`,
      (await host.exists('/tmp99/libgstrtpmanager.so'))
        ? `sudo cp /tmp99/libgst*.so /usr/lib/${host.triplet}/gstreamer-1.0/`
        : `sudo bash ${DEEPSTREAM_FOLDER}/update_rtpmanager.sh (needs the network and a compiler, minutes)`,
    ),
  ];
}
