import { DEEPSTREAM_FOLDER, type Installation } from '../../nvidia/installation.ts';
import { compareVersions, OLDEST_DEEPSTREAM, RELEASES, releaseOf } from '../../nvidia/releases.ts';
import { type Finding, fail, ok, warn } from '../finding.ts';

const CHECK = 'deepstream';

/** Which DeepStream it is, on which side of the break of 9.0 its metadata lies, and whether its files are there. */
export function checkRelease({ version, missing }: Installation): Finding[] {
  if (version === undefined) {
    return [
      fail(
        CHECK,
        `${DEEPSTREAM_FOLDER} does not tell the version of DeepStream`,
        'Install DeepStream again with its install.sh',
      ),
    ];
  }
  const missingFiles = missing.map((path) =>
    fail(CHECK, `DeepStream ${version} lacks ${path}`, 'Install DeepStream again'),
  );
  return [checkVersion(version), ...missingFiles];
}

function checkVersion(version: string): Finding {
  const newest = RELEASES[0]!.version;
  if (compareVersions(version, OLDEST_DEEPSTREAM) < 0) {
    return fail(
      CHECK,
      `DeepStream ${version}: Sightline reads the metadata of ${OLDEST_DEEPSTREAM} and later. Before ${OLDEST_DEEPSTREAM} the fields of NvDsObjectMeta after rect_params lie 8 bytes earlier, so that labels and classifiers would be read wrong`,
      `Upgrade to DeepStream ${newest} (docs/deepstream.md, upgrade notes)`,
    );
  }
  if (releaseOf(version) === undefined) {
    return warn(
      CHECK,
      `DeepStream ${version} is newer than Sightline knows (${newest}): its metadata may lie elsewhere`,
      `Run the native tests against its headers (docs/deepstream.md), or use ${newest}`,
    );
  }
  return ok(CHECK, `DeepStream ${version}, with the metadata layout of 9.x that Sightline reads`);
}
