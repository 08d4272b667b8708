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
    ...['qtdemux', 'matroskademux', 'avidemux', 'jpegdec', 'jpegenc', 'vp8dec', 'vp9dec'],
  ],
  'gstreamer1.0-plugins-bad': ['h264parse', 'h265parse', 'mpeg4videoparse'],
  'gstreamer1.0-libav': [
    ...['avdec_h264', 'avdec_h265', 'avdec_mpeg4', 'avdec_msmpeg4', 'avdec_mpeg2video'],
  ],
};

/** The elements of our own plugin, libgstsightline.so. */
export const SIGHTLINE_ELEMENTS: readonly string[] = [
  ...['slanalytics', 'slimage', 'slinfer', 'slmeta', 'slsample', 'slskip', 'slstamp', 'sltrack'],
];

/** What DeepStream adds, where it is installed. */
export const DEEPSTREAM_ELEMENTS: readonly string[] = [
  ...['nvstreammux', 'nvinfer', 'nvtracker', 'nvvideoconvert', 'nvv4l2decoder'],
];
