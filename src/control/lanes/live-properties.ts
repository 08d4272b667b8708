/**
 * Properties that an element takes while it plays (GST_PARAM_MUTABLE_PLAYING, or read with each buffer), by factory. Any
 * other difference between two graphs needs a new pipeline. Elements under NVIDIA's names as of DeepStream 9.1.
 */
const LIVE_PROPERTIES: Readonly<Record<string, readonly string[]>> = {
  slinfer: ['interval'],
  slanalytics: ['config-file', 'enable'],
  slsample: ['interval-ms', 'when'],
  slskip: ['skip'],
  slstamp: ['drop-interval'],
  sltrack: [
    ...['track-high-threshold', 'track-low-threshold', 'new-track-threshold', 'match-threshold'],
    ...['max-lost-frames', 'min-hits', 'class-aware', 'emit-lost'],
  ],
  jpegenc: ['quality'],
  nvinfer: ['interval'],
  nvdsanalytics: ['config-file'],
  nvv4l2decoder: ['skip-frames'],
  nvjpegenc: ['quality'],
};

export function isLiveProperty(factory: string, property: string): boolean {
  return LIVE_PROPERTIES[factory]?.includes(property) ?? false;
}
