import type { NvidiaPlatform } from '../nvidia/platform.ts';

/** GStreamer elements that graphs of the CPU backend are made of, by the Debian and Ubuntu package that brings them. */
export const CPU_ELEMENTS: Readonly<Record<string, readonly string[]>> = {
  'libgstreamer1.0-0': [
    'capsfilter',
    'clocksync',
    'fakesink',
    'filesrc',
    'identity',
    'queue',
    'tee',
  ],
  'gstreamer1.0-plugins-base': ['appsink', 'parsebin', 'videoconvert', 'videoscale'],
  'gstreamer1.0-plugins-good': [
    ...['rtspsrc', 'rtph264depay', 'rtph265depay', 'rtpjpegdepay', 'rtpmp4vdepay'],
    ...[
      'qtdemux',
      'matroskademux',
      'avidemux',
      'jpegdec',
      'jpegenc',
      'vp8dec',
      'vp9dec',
      'souphttpsrc',
    ],
  ],
  'gstreamer1.0-plugins-bad': ['h264parse', 'h265parse', 'mpeg4videoparse'],
  'gstreamer1.0-libav': [
    ...['avdec_h264', 'avdec_h265', 'avdec_mpeg4', 'avdec_msmpeg4', 'avdec_mpeg2video'],
  ],
};

/** The elements of our own plugin, libgstsightline.so. */
export const SIGHTLINE_ELEMENTS: readonly string[] = [
  ...['slanalytics', 'slclassify', 'slimage', 'slinfer', 'sllatency', 'slmeta', 'slsample'],
  ...['slskip', 'slstamp', 'sltrack'],
  // Registered everywhere; they start where DeepStream's libraries are.
  ...['sldsmeta', 'sldssample'],
];

/** NVIDIA's elements without which no pipeline runs on DeepStream. */
export const DEEPSTREAM_ELEMENTS: readonly string[] = [
  ...['nvurisrcbin', 'nvv4l2decoder', 'nvstreammux', 'nvvideoconvert', 'nvinfer'],
];

/** What else the DeepStream backend may use, by what is lost without it. `sbsa` and `orin-nano` differ. */
export function deepStreamFeatures(
  platform: NvidiaPlatform,
): Readonly<Record<string, readonly string[]>> {
  return {
    tracking: ['nvtracker'],
    analytics: ['nvdsanalytics'],
    snapshots: ['nvstreamdemux', platform === 'sbsa' ? 'nvimageenc' : 'nvjpegenc'],
    'annotated video': [
      ...['nvdsosd', 'nvmultistreamtiler', 'nvrtspoutsinkbin'],
      platform === 'orin-nano' ? 'x264enc' : 'nvv4l2h264enc',
    ],
    'engine: nvinferserver (only the Triton image has it)': ['nvinferserver'],
  };
}
