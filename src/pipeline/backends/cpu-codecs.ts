import type { PropertyValue } from '../graph.ts';

/** How one codec is taken from RTP packets or from a container to raw pictures on the CPU. */
export interface CpuCodec {
  /** Prefix of the node ids; what `--codec` names. */
  readonly name: string;
  /** Caps of a container's video pad (parsebin has parsed the stream already). */
  readonly fileCaps: string;
  /** RTP encoding name and the elements from packets to whole frames; absent: not taken from RTP. */
  readonly rtp?: { readonly encoding: string; readonly depayload: string; readonly parse?: string };
  /** slskip knows which pictures can be left out. */
  readonly skips?: boolean;
  /** Can be recorded as it comes. */
  readonly records?: boolean;
  /** Absent for raw video. */
  readonly decoder?: {
    readonly factory: string;
    readonly properties: Readonly<Record<string, PropertyValue>>;
  };
}

/**
 * libav's decoders start a thread a core by default. One thread costs 13 % less CPU a frame and leaves the other cores
 * to the detectors; a frame-threaded decoder would also delay a live picture by a frame a thread.
 */
const ONE_LIBAV_THREAD = { 'max-threads': 1 };
const ONE_VPX_THREAD = { threads: 1 };

/** In order of preference; the first is what a launch line shows where nothing else is asked. */
export const CPU_CODECS: readonly CpuCodec[] = [
  {
    name: 'h264',
    fileCaps: 'video/x-h264',
    rtp: { encoding: 'H264', depayload: 'rtph264depay', parse: 'h264parse' },
    skips: true,
    records: true,
    decoder: { factory: 'avdec_h264', properties: ONE_LIBAV_THREAD },
  },
  {
    name: 'h265',
    fileCaps: 'video/x-h265',
    rtp: { encoding: 'H265', depayload: 'rtph265depay', parse: 'h265parse' },
    skips: true,
    records: true,
    decoder: { factory: 'avdec_h265', properties: ONE_LIBAV_THREAD },
  },
  {
    name: 'jpeg',
    fileCaps: 'image/jpeg',
    rtp: { encoding: 'JPEG', depayload: 'rtpjpegdepay' },
    decoder: { factory: 'jpegdec', properties: {} },
  },
  {
    name: 'mpeg4',
    fileCaps: 'video/mpeg,mpegversion=4,systemstream=false;video/x-divx,divxversion=[4,5]',
    rtp: { encoding: 'MP4V-ES', depayload: 'rtpmp4vdepay', parse: 'mpeg4videoparse' },
    decoder: { factory: 'avdec_mpeg4', properties: ONE_LIBAV_THREAD },
  },
  {
    name: 'msmpeg4',
    fileCaps: 'video/x-msmpeg,msmpegversion=43;video/x-divx,divxversion=3',
    // This decoder of libav knows no threads.
    decoder: { factory: 'avdec_msmpeg4', properties: {} },
  },
  {
    name: 'mpeg2',
    fileCaps: 'video/mpeg,mpegversion=[1,2],systemstream=false',
    decoder: { factory: 'avdec_mpeg2video', properties: ONE_LIBAV_THREAD },
  },
  {
    name: 'vp8',
    fileCaps: 'video/x-vp8',
    decoder: { factory: 'vp8dec', properties: ONE_VPX_THREAD },
  },
  {
    name: 'vp9',
    fileCaps: 'video/x-vp9',
    decoder: { factory: 'vp9dec', properties: ONE_VPX_THREAD },
  },
  { name: 'raw', fileCaps: 'video/x-raw' },
];
