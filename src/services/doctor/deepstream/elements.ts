import type { Host } from '../../nvidia/host.ts';
import { DEEPSTREAM_FOLDER } from '../../nvidia/installation.ts';
import type { NvidiaPlatform } from '../../nvidia/platform.ts';
import { DEEPSTREAM_ELEMENTS, deepStreamFeatures } from '../elements.ts';
import { type Finding, fail, ok, warn } from '../finding.ts';
import type { Inspection } from '../gstreamer.ts';

const CODEC_SCRIPT = `${DEEPSTREAM_FOLDER}/user_additional_install.sh`;
const PREPROCESS = 'libcustom2d_preprocess.so';
const FORGET = 'rm -rf ~/.cache/gstreamer-1.0 .cache/gst-registry-*';
/** Free decoders, parsers and encoders that NVIDIA deletes from its images. */
const FREE_CODECS = ['avdec_h264', 'avdec_h265', 'x264enc', 'h264parse', 'h265parse', 'aacparse'];

/** Elements that the DeepStream backend uses, the codecs around them, and files that GStreamer gave up on. */
export async function checkDeepStreamElements(
  host: Host,
  inspection: Inspection | undefined,
  platform: NvidiaPlatform,
): Promise<Finding[]> {
  if (inspection === undefined || inspection.problem !== undefined) return [];
  return [
    ...checkNeeded(inspection),
    ...checkFeatures(inspection, platform),
    ...checkCodecs(inspection),
    ...checkJpeg(inspection),
    ...(await checkBlacklist(host, inspection)),
  ];
}

function checkNeeded({ elements }: Inspection): Finding[] {
  const absent = DEEPSTREAM_ELEMENTS.filter((name) => !elements.has(name));
  if (absent.length === 0) {
    return [ok('ds-elements', 'The elements that every DeepStream pipeline needs are there')];
  }
  return [
    fail(
      'ds-elements',
      `GStreamer lacks ${absent.join(', ')}, which every DeepStream pipeline needs`,
      `${FORGET}; GST_PLUGIN_PATH=${DEEPSTREAM_FOLDER}/lib/gst-plugins gst-inspect-1.0 ${absent[0]}`,
    ),
  ];
}

function checkFeatures({ elements }: Inspection, platform: NvidiaPlatform): Finding[] {
  return Object.entries(deepStreamFeatures(platform)).flatMap(([feature, names]) => {
    const absent = names.filter((name) => !elements.has(name));
    if (absent.length === 0) return [];
    return [
      warn(
        'ds-elements',
        `GStreamer lacks ${absent.join(', ')}: no ${feature}`,
        absent.includes('x264enc')
          ? `sudo bash ${CODEC_SCRIPT}`
          : `${FORGET}; gst-inspect-1.0 ${absent[0]}, or leave the feature out of the spec`,
      ),
    ];
  });
}

function checkCodecs({ elements }: Inspection): Finding[] {
  const absent = FREE_CODECS.filter((name) => !elements.has(name));
  if (absent.length === 0) return [ok('codecs', 'The free codecs are there')];
  return [
    warn(
      'codecs',
      `GStreamer lacks ${absent.join(', ')}: NVIDIA's images come without the free codecs`,
      `sudo bash ${CODEC_SCRIPT} && ${FORGET}`,
    ),
  ];
}

/** GStreamer's own nvcodec plugin has elements of the same names, with other properties and without NVMM. */
function checkJpeg({ plugins }: Inspection): Finding[] {
  if (plugins.get('nvjpegenc') !== 'nvcodec') return [];
  return [
    fail(
      'ds-elements',
      "nvjpegenc comes from GStreamer's nvcodec plugin, which hides DeepStream's element of the same name",
      `sudo rm "$(gst-inspect-1.0 nvcodec | awk '/Filename/ {print $2}')" && ${FORGET}`,
    ),
  ];
}

async function checkBlacklist(host: Host, inspection: Inspection): Promise<Finding[]> {
  const { blacklist, elements } = inspection;
  const hasPreprocess = await host.exists(`${DEEPSTREAM_FOLDER}/lib/gst-plugins/${PREPROCESS}`);
  const suspect =
    hasPreprocess && (blacklist.length > 0 || !elements.has('nvvideoconvert'))
      ? `. ${PREPROCESS} among the plugins is known to crash the scanner`
      : '';
  if (blacklist.length === 0) {
    if (suspect === '') return [ok('blacklist', 'GStreamer gave up on no plugin file')];
    return [
      warn(
        'blacklist',
        `nvvideoconvert is missing${suspect}`,
        `sudo mv ${DEEPSTREAM_FOLDER}/lib/gst-plugins/${PREPROCESS} ${DEEPSTREAM_FOLDER}/lib/ && ${FORGET}`,
      ),
    ];
  }
  return [
    fail(
      'blacklist',
      `GStreamer gave up on ${blacklist.join(', ')}${suspect}`,
      suspect === ''
        ? `${FORGET}; then see why: GST_DEBUG=3 gst-inspect-1.0 2>&1 | grep -i -E "blacklist|cannot open"`
        : `sudo mv ${DEEPSTREAM_FOLDER}/lib/gst-plugins/${PREPROCESS} ${DEEPSTREAM_FOLDER}/lib/ && ${FORGET}`,
    ),
  ];
}
