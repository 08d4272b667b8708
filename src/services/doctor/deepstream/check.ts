import { findDevices, readDriver } from '../../nvidia/driver.ts';
import type { Host } from '../../nvidia/host.ts';
import { findInstallation } from '../../nvidia/installation.ts';
import { detectPlatform, isJetson, platformProblem } from '../../nvidia/platform.ts';
import { type Finding, fail, ok, warn } from '../finding.ts';
import type { Inspection } from '../gstreamer.ts';
import { checkContainer } from './container.ts';
import { checkDevices } from './devices.ts';
import { checkDriver } from './driver.ts';
import { checkDeepStreamElements } from './elements.ts';
import { checkJetson } from './jetson.ts';
import { checkLibraries } from './libraries.ts';
import { checkRelease } from './release.ts';
import { checkRtp } from './rtp.ts';
import { checkEngines, checkUdp } from './system.ts';

export interface DeepStreamCheckOptions {
  readonly host: Host;
  /** What GStreamer knows; undefined where gst-inspect-1.0 is not installed. */
  readonly inspection: Inspection | undefined;
  /** Folder of TensorRT engines, a path of this machine. */
  readonly enginesDir: string;
}

/**
 * DeepStream is optional: a machine without a GPU of NVIDIA's passes with one line. Where DeepStream is installed,
 * everything a pipeline needs of it is looked at, from the driver to the rights of the user.
 */
export async function checkDeepStream(options: DeepStreamCheckOptions): Promise<Finding[]> {
  const { host, inspection, enginesDir } = options;
  const installation = await findInstallation(host);
  const facts = await detectPlatform(host);
  const { platform } = facts;
  const devices = await findDevices(host, platform);
  const driver = await readDriver(host);
  if (installation === undefined) {
    const gpu = driver.gpus[0] ?? facts.model;
    return [
      gpu === undefined
        ? ok('deepstream', 'DeepStream is not installed: pipelines run on the CPU')
        : warn(
            'deepstream',
            `${gpu} is here, but DeepStream is not installed: pipelines run on the CPU`,
            'Install DeepStream 9.1 or use the image of Dockerfile.deepstream (docs/deepstream.md)',
          ),
    ];
  }
  const wrongPlatform = platformProblem(host);
  const findings = await Promise.all([
    wrongPlatform === undefined ? [] : [fail('platform', wrongPlatform, 'Unset it')],
    checkRelease(installation),
    isJetson(platform)
      ? checkJetson(host, facts, installation.version)
      : checkDriver(host, driver, installation.version),
    checkContainer(host, platform),
    checkDevices(host, devices),
    checkLibraries(host, installation.version),
    checkDeepStreamElements(host, inspection, platform),
    checkRtp(host),
    checkEngines(enginesDir),
    checkUdp(host),
  ]);
  return findings.flat();
}
