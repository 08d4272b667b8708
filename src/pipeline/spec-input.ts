/**
 * What may be written in specs: made from the schemas of spec.ts (test/services/editor-schemas.test.ts says how).
 */
export type PipelineInput = {
  /** Lower-case letters, digits, - and _; starts with a letter or digit; at most 63 */
  readonly id: string;
  /** Streams of higher priority are kept longer when the box is full; default 50 */
  readonly priority?: number;
  /** Ids of the sinks that get its records; default: all; []: none */
  readonly sinks?: readonly string[];
  /** Frames beyond the budget are left out and counted; absent: none is */
  readonly latency?: {
    /** Most age of a frame when the detector gets it, from its first packet on; ms */
    readonly budgetMs: number;
    /** What goes when frames are older: oldest: those that waited too long; newest: those that come, until what waits is through; non-key: pictures are not decoded but key frames, until the stream has caught up */
    readonly drop: 'oldest' | 'newest' | 'non-key';
  };
  /** Recording of the video as it came; left out: none */
  readonly record?: {
    /** The first key frame after this time begins a new file, s */
    readonly segmentSeconds?: number;
    /** Video that is written in one piece, ms: at most this is lost by a kill */
    readonly fragmentMs?: number;
    /** mp4: fragmented MP4, with the index in it */
    readonly container?: 'mp4' | 'matroska';
    /** Bytes that may wait for the end of a fragment; with more the file is given up and another begun */
    readonly maxHeldBytes?: number;
  };
  /** prefer-gpu (the default): DeepStream where the machine has it, else the models on a GPU by ONNX Runtime, else the CPU; require-gpu: refused without a GPU */
  readonly accelerator?: 'prefer-gpu' | 'require-gpu' | 'cpu';
  /** Object detection */
  readonly infer?: {
    /** Name of an installed model (sightline models list) */
    readonly model: string;
    /** Frames to skip after each one the detector sees; the tracker fills the gap */
    readonly interval?: number;
    /** Least score of an object, for all classes; default: the model's own */
    readonly threshold?: number;
    /** Labels to keep; default: all */
    readonly classes?: readonly string[];
    /** Frames of several streams in one run of the model; default 1 on the CPU, one of each stream up to 16 on a GPU */
    readonly batchSize?: number;
  };
  readonly secondary?: readonly {
    /** Name of this step; other steps can work on what it finds */
    readonly id: string;
    /** Name of an installed model (sightline models list) */
    readonly model: string;
    readonly on?: {
      /** Id of another step; default: `infer` */
      readonly step?: string;
      /** Labels to look at; default: all */
      readonly classes?: readonly string[];
    };
    /** Least score */
    readonly threshold?: number;
    /** Frames after which a tracked object is looked at again; 0: each frame */
    readonly interval?: number;
    /** px */
    readonly minWidth?: number;
    /** px */
    readonly minHeight?: number;
    readonly batchSize?: number;
  }[];
  readonly track?:
    | {
        readonly type: 'bytetrack';
        /** Score from which a detection takes part in the first association (0.4) */
        readonly highThreshold?: number;
        /** Score from which a detection can continue a track at all (0.1) */
        readonly lowThreshold?: number;
        /** Score from which an unmatched detection starts a track (0.5) */
        readonly newTrackThreshold?: number;
        /** Largest distance, 1 - overlap, of a detection from its track (0.8) */
        readonly matchThreshold?: number;
        /** Frames without a detection after which a track ends (30) */
        readonly maxLostFrames?: number;
        /** Detections in a row that confirm a track (2) */
        readonly minHits?: number;
        /** A track continues only with objects of its class (true) */
        readonly classAware?: boolean;
        /** Put out missed tracks at their predicted place (false) */
        readonly emitLost?: boolean;
      }
    | {
        readonly type: 'iou';
        /** Frames without a detection after which a track ends (30) */
        readonly maxLostFrames?: number;
        /** Detections in a row that confirm a track (2) */
        readonly minHits?: number;
        /** A track continues only with objects of its class (true) */
        readonly classAware?: boolean;
        /** Put out missed tracks at their predicted place (false) */
        readonly emitLost?: boolean;
      }
    | {
        readonly type: 'nvsort';
        /** Frames without a detection after which a track ends (30) */
        readonly maxLostFrames?: number;
        /** Detections in a row that confirm a track (2) */
        readonly minHits?: number;
        /** A track continues only with objects of its class (true) */
        readonly classAware?: boolean;
        /** Put out missed tracks at their predicted place (false) */
        readonly emitLost?: boolean;
      }
    | {
        readonly type: 'nvdcf';
        /** What to spend on the visual features, as NVIDIA's sample files (perf) */
        readonly profile?: 'max-perf' | 'perf' | 'accuracy';
        /** Frames without a detection after which a track ends (30) */
        readonly maxLostFrames?: number;
        /** Detections in a row that confirm a track (2) */
        readonly minHits?: number;
        /** A track continues only with objects of its class (true) */
        readonly classAware?: boolean;
        /** Put out missed tracks at their predicted place (false) */
        readonly emitLost?: boolean;
      }
    | {
        readonly type: 'nvdeepsort';
        /** ONNX file of the re-identification network; default: NVIDIA's sample */
        readonly reidModel?: string;
        /** Frames without a detection after which a track ends (30) */
        readonly maxLostFrames?: number;
        /** Detections in a row that confirm a track (2) */
        readonly minHits?: number;
        /** A track continues only with objects of its class (true) */
        readonly classAware?: boolean;
        /** Put out missed tracks at their predicted place (false) */
        readonly emitLost?: boolean;
      }
    | {
        readonly type: 'none';
      };
  /** Zones, lines and directions; left out: none */
  readonly analytics?: {
    readonly zones?: readonly {
      /** Lower-case letters, digits, - and _; starts with a letter or digit; at most 63 */
      readonly id: string;
      readonly polygon: readonly (readonly number[])[];
      /** Labels that count; default: all */
      readonly classes?: readonly string[];
      /** Streams it is for; default: all of the pipeline */
      readonly streams?: readonly string[];
      /** Count what is outside; not with overcrowding */
      readonly invert?: boolean;
      readonly overcrowding?: {
        /** From this many objects on, the zone is overcrowded */
        readonly objects: number;
      };
    }[];
    readonly lines?: readonly {
      /** Lower-case letters, digits, - and _; starts with a letter or digit; at most 63 */
      readonly id: string;
      readonly line: readonly (readonly number[])[];
      /** From and to: crossings along it count */
      readonly direction: readonly (readonly number[])[];
      /** Labels that count; default: all */
      readonly classes?: readonly string[];
      /** Streams it is for; default: all of the pipeline */
      readonly streams?: readonly string[];
      /** The line has no ends: crossing its extension counts */
      readonly extended?: boolean;
      /** How far and how straight an object must have moved */
      readonly mode?: 'loose' | 'balanced' | 'strict';
    }[];
    readonly directions?: readonly {
      /** Lower-case letters, digits, - and _; starts with a letter or digit; at most 63 */
      readonly id: string;
      /** From and to */
      readonly direction: readonly (readonly number[])[];
      /** Labels that count; default: all */
      readonly classes?: readonly string[];
      /** Streams it is for; default: all of the pipeline */
      readonly streams?: readonly string[];
    }[];
  };
  /** Pictures of chosen frames; left out: none */
  readonly images?: {
    /** Least time between two pictures of a stream, ms; default 1000 */
    readonly everyMs?: number;
    /** The same as a rate, instead of everyMs */
    readonly fps?: number;
    /** objects: only frames that show one (the default with a detector, else always); motion: only frames in which something moves; key-frames: nothing but key frames is decoded */
    readonly when?: 'always' | 'objects' | 'motion' | 'key-frames';
    /** For "when: motion" */
    readonly motion?: {
      /** Least change of brightness of a cell that counts, of 255 */
      readonly threshold?: number;
      /** Least part of the cells that must change */
      readonly area?: number;
    };
    /** JPEG quality */
    readonly quality?: number;
    /** Wider pictures are scaled down to it, px; default: as they come */
    readonly maxWidth?: number;
    /** Names of the models that are to look at the pictures elsewhere (Image.models) */
    readonly models?: readonly string[];
  };
  /** Video with the objects drawn on it; left out: none */
  readonly annotated?: {
    /** rtsp: served here; udp: RTP sent to host */
    readonly type: 'rtsp' | 'udp';
    /** For udp (127.0.0.1) */
    readonly host?: string;
    readonly port: number;
    readonly bitrateKbps?: number;
    /** Of the video; several streams share it as tiles (1280) */
    readonly width?: number;
    /** Likewise (720) */
    readonly height?: number;
  };
  /** Settings of the DeepStream backend */
  readonly deepstream?: {
    /** CUDA device */
    readonly gpuId?: number;
    /** Of the TensorRT engines */
    readonly precision?: 'fp32' | 'fp16' | 'int8';
    /** nvurisrcbin reconnects inside the pipeline; rtspsrc is Sightline's own path, with a graph a stream. auto: rtspsrc for rtsps://, else nvurisrcbin */
    readonly source?: 'auto' | 'nvurisrcbin' | 'rtspsrc';
    readonly muxer?: {
      /** old scales every frame to one size; new does not */
      readonly kind?: 'old' | 'new';
      /** Batch size in pixels, old only (1920) */
      readonly width?: number;
      /** Batch size in pixels, old only (1080) */
      readonly height?: number;
      /** Keep the aspect ratio with black bars, old only */
      readonly padding?: boolean;
      /** Longest wait for a full batch; default 40000 live, -1 files (old) */
      readonly batchTimeoutUs?: number;
      /** Time of capture is the host's clock at the muxer, not RTCP's */
      readonly systemTime?: boolean;
    };
    /** nvinferserver: Triton */
    readonly engine?: 'nvinfer' | 'nvinferserver';
    /** Folder of Triton models, for nvinferserver */
    readonly modelRepository?: string;
    readonly tracker?: {
      /** Pixels, a multiple of 32 */
      readonly width?: number;
      /** Likewise */
      readonly height?: number;
    };
    /** Properties by element factory, over those Sightline sets */
    readonly elements?: {
      readonly [name: string]: {
        readonly [name: string]: string | number | boolean;
      };
    };
  };
  /** How ONNX Runtime uses a GPU; no effect on the CPU and with DeepStream */
  readonly onnxRuntime?: {
    /** tensorrt builds engines at its first start, which takes minutes; without its libraries: cuda */
    readonly provider?: 'cuda' | 'tensorrt';
    /** CUDA device */
    readonly gpuId?: number;
  };
  readonly streams: readonly {
    /** Lower-case letters, digits, - and _; starts with a letter or digit; at most 63 */
    readonly id: string;
    readonly source:
      | {
          readonly type: 'rtsp';
          /** rtsp:// or rtsps:// URL; a user and password in it are split off and never shown */
          readonly url: string;
          readonly username?: string;
          /** Never shown; better given by a variable of the environment */
          readonly password?: string;
          /** How RTP travels; udp loses packets on a busy network */
          readonly transport?: 'tcp' | 'udp';
          /** Jitter buffer, ms: what arrives later is lost */
          readonly latencyMs?: number;
        }
      | {
          readonly type: 'file';
          /** Video file; relative to the working directory of the server */
          readonly path: string;
          /** none: as fast as it goes, every frame; realtime: as a camera would */
          readonly pace?: 'none' | 'realtime';
        }
      | {
          readonly type: 'http';
          /** http:// or https:// URL of a media file; a user and password in it are split off and never shown */
          readonly url: string;
          readonly username?: string;
          /** Never shown; better given by a variable of the environment */
          readonly password?: string;
        };
    /** Name of the camera in the metadata (sensor_id); default: the id of the stream */
    readonly sensorId?: string;
    /** false: the stream stays in the spec and is not run; default true */
    readonly enabled?: boolean;
    /** Streams of higher priority are kept longer when the box is full; default 50 */
    readonly priority?: number;
    /** Ids of the sinks that get its records; default: all; []: none */
    readonly sinks?: readonly string[];
    /** Frames beyond the budget are left out and counted; absent: none is */
    readonly latency?: {
      /** Most age of a frame when the detector gets it, from its first packet on; ms */
      readonly budgetMs: number;
      /** What goes when frames are older: oldest: those that waited too long; newest: those that come, until what waits is through; non-key: pictures are not decoded but key frames, until the stream has caught up */
      readonly drop: 'oldest' | 'newest' | 'non-key';
    };
    /** Recording of the video as it came; left out: none */
    readonly record?: {
      /** The first key frame after this time begins a new file, s */
      readonly segmentSeconds?: number;
      /** Video that is written in one piece, ms: at most this is lost by a kill */
      readonly fragmentMs?: number;
      /** mp4: fragmented MP4, with the index in it */
      readonly container?: 'mp4' | 'matroska';
      /** Bytes that may wait for the end of a fragment; with more the file is given up and another begun */
      readonly maxHeldBytes?: number;
    };
  }[];
};

export type StreamInput = {
  /** Lower-case letters, digits, - and _; starts with a letter or digit; at most 63 */
  readonly id: string;
  readonly source:
    | {
        readonly type: 'rtsp';
        /** rtsp:// or rtsps:// URL; a user and password in it are split off and never shown */
        readonly url: string;
        readonly username?: string;
        /** Never shown; better given by a variable of the environment */
        readonly password?: string;
        /** How RTP travels; udp loses packets on a busy network */
        readonly transport?: 'tcp' | 'udp';
        /** Jitter buffer, ms: what arrives later is lost */
        readonly latencyMs?: number;
      }
    | {
        readonly type: 'file';
        /** Video file; relative to the working directory of the server */
        readonly path: string;
        /** none: as fast as it goes, every frame; realtime: as a camera would */
        readonly pace?: 'none' | 'realtime';
      }
    | {
        readonly type: 'http';
        /** http:// or https:// URL of a media file; a user and password in it are split off and never shown */
        readonly url: string;
        readonly username?: string;
        /** Never shown; better given by a variable of the environment */
        readonly password?: string;
      };
  /** Name of the camera in the metadata (sensor_id); default: the id of the stream */
  readonly sensorId?: string;
  /** false: the stream stays in the spec and is not run; default true */
  readonly enabled?: boolean;
  /** Streams of higher priority are kept longer when the box is full; default 50 */
  readonly priority?: number;
  /** Ids of the sinks that get its records; default: all; []: none */
  readonly sinks?: readonly string[];
  /** Frames beyond the budget are left out and counted; absent: none is */
  readonly latency?: {
    /** Most age of a frame when the detector gets it, from its first packet on; ms */
    readonly budgetMs: number;
    /** What goes when frames are older: oldest: those that waited too long; newest: those that come, until what waits is through; non-key: pictures are not decoded but key frames, until the stream has caught up */
    readonly drop: 'oldest' | 'newest' | 'non-key';
  };
  /** Recording of the video as it came; left out: none */
  readonly record?: {
    /** The first key frame after this time begins a new file, s */
    readonly segmentSeconds?: number;
    /** Video that is written in one piece, ms: at most this is lost by a kill */
    readonly fragmentMs?: number;
    /** mp4: fragmented MP4, with the index in it */
    readonly container?: 'mp4' | 'matroska';
    /** Bytes that may wait for the end of a fragment; with more the file is given up and another begun */
    readonly maxHeldBytes?: number;
  };
  /** prefer-gpu (the default): DeepStream where the machine has it, else the models on a GPU by ONNX Runtime, else the CPU; require-gpu: refused without a GPU */
  readonly accelerator?: 'prefer-gpu' | 'require-gpu' | 'cpu';
  /** Object detection */
  readonly infer?: {
    /** Name of an installed model (sightline models list) */
    readonly model: string;
    /** Frames to skip after each one the detector sees; the tracker fills the gap */
    readonly interval?: number;
    /** Least score of an object, for all classes; default: the model's own */
    readonly threshold?: number;
    /** Labels to keep; default: all */
    readonly classes?: readonly string[];
    /** Frames of several streams in one run of the model; default 1 on the CPU, one of each stream up to 16 on a GPU */
    readonly batchSize?: number;
  };
  readonly secondary?: readonly {
    /** Name of this step; other steps can work on what it finds */
    readonly id: string;
    /** Name of an installed model (sightline models list) */
    readonly model: string;
    readonly on?: {
      /** Id of another step; default: `infer` */
      readonly step?: string;
      /** Labels to look at; default: all */
      readonly classes?: readonly string[];
    };
    /** Least score */
    readonly threshold?: number;
    /** Frames after which a tracked object is looked at again; 0: each frame */
    readonly interval?: number;
    /** px */
    readonly minWidth?: number;
    /** px */
    readonly minHeight?: number;
    readonly batchSize?: number;
  }[];
  readonly track?:
    | {
        readonly type: 'bytetrack';
        /** Score from which a detection takes part in the first association (0.4) */
        readonly highThreshold?: number;
        /** Score from which a detection can continue a track at all (0.1) */
        readonly lowThreshold?: number;
        /** Score from which an unmatched detection starts a track (0.5) */
        readonly newTrackThreshold?: number;
        /** Largest distance, 1 - overlap, of a detection from its track (0.8) */
        readonly matchThreshold?: number;
        /** Frames without a detection after which a track ends (30) */
        readonly maxLostFrames?: number;
        /** Detections in a row that confirm a track (2) */
        readonly minHits?: number;
        /** A track continues only with objects of its class (true) */
        readonly classAware?: boolean;
        /** Put out missed tracks at their predicted place (false) */
        readonly emitLost?: boolean;
      }
    | {
        readonly type: 'iou';
        /** Frames without a detection after which a track ends (30) */
        readonly maxLostFrames?: number;
        /** Detections in a row that confirm a track (2) */
        readonly minHits?: number;
        /** A track continues only with objects of its class (true) */
        readonly classAware?: boolean;
        /** Put out missed tracks at their predicted place (false) */
        readonly emitLost?: boolean;
      }
    | {
        readonly type: 'nvsort';
        /** Frames without a detection after which a track ends (30) */
        readonly maxLostFrames?: number;
        /** Detections in a row that confirm a track (2) */
        readonly minHits?: number;
        /** A track continues only with objects of its class (true) */
        readonly classAware?: boolean;
        /** Put out missed tracks at their predicted place (false) */
        readonly emitLost?: boolean;
      }
    | {
        readonly type: 'nvdcf';
        /** What to spend on the visual features, as NVIDIA's sample files (perf) */
        readonly profile?: 'max-perf' | 'perf' | 'accuracy';
        /** Frames without a detection after which a track ends (30) */
        readonly maxLostFrames?: number;
        /** Detections in a row that confirm a track (2) */
        readonly minHits?: number;
        /** A track continues only with objects of its class (true) */
        readonly classAware?: boolean;
        /** Put out missed tracks at their predicted place (false) */
        readonly emitLost?: boolean;
      }
    | {
        readonly type: 'nvdeepsort';
        /** ONNX file of the re-identification network; default: NVIDIA's sample */
        readonly reidModel?: string;
        /** Frames without a detection after which a track ends (30) */
        readonly maxLostFrames?: number;
        /** Detections in a row that confirm a track (2) */
        readonly minHits?: number;
        /** A track continues only with objects of its class (true) */
        readonly classAware?: boolean;
        /** Put out missed tracks at their predicted place (false) */
        readonly emitLost?: boolean;
      }
    | {
        readonly type: 'none';
      };
  /** Zones, lines and directions; left out: none */
  readonly analytics?: {
    readonly zones?: readonly {
      /** Lower-case letters, digits, - and _; starts with a letter or digit; at most 63 */
      readonly id: string;
      readonly polygon: readonly (readonly number[])[];
      /** Labels that count; default: all */
      readonly classes?: readonly string[];
      /** Streams it is for; default: all of the pipeline */
      readonly streams?: readonly string[];
      /** Count what is outside; not with overcrowding */
      readonly invert?: boolean;
      readonly overcrowding?: {
        /** From this many objects on, the zone is overcrowded */
        readonly objects: number;
      };
    }[];
    readonly lines?: readonly {
      /** Lower-case letters, digits, - and _; starts with a letter or digit; at most 63 */
      readonly id: string;
      readonly line: readonly (readonly number[])[];
      /** From and to: crossings along it count */
      readonly direction: readonly (readonly number[])[];
      /** Labels that count; default: all */
      readonly classes?: readonly string[];
      /** Streams it is for; default: all of the pipeline */
      readonly streams?: readonly string[];
      /** The line has no ends: crossing its extension counts */
      readonly extended?: boolean;
      /** How far and how straight an object must have moved */
      readonly mode?: 'loose' | 'balanced' | 'strict';
    }[];
    readonly directions?: readonly {
      /** Lower-case letters, digits, - and _; starts with a letter or digit; at most 63 */
      readonly id: string;
      /** From and to */
      readonly direction: readonly (readonly number[])[];
      /** Labels that count; default: all */
      readonly classes?: readonly string[];
      /** Streams it is for; default: all of the pipeline */
      readonly streams?: readonly string[];
    }[];
  };
  /** Pictures of chosen frames; left out: none */
  readonly images?: {
    /** Least time between two pictures of a stream, ms; default 1000 */
    readonly everyMs?: number;
    /** The same as a rate, instead of everyMs */
    readonly fps?: number;
    /** objects: only frames that show one (the default with a detector, else always); motion: only frames in which something moves; key-frames: nothing but key frames is decoded */
    readonly when?: 'always' | 'objects' | 'motion' | 'key-frames';
    /** For "when: motion" */
    readonly motion?: {
      /** Least change of brightness of a cell that counts, of 255 */
      readonly threshold?: number;
      /** Least part of the cells that must change */
      readonly area?: number;
    };
    /** JPEG quality */
    readonly quality?: number;
    /** Wider pictures are scaled down to it, px; default: as they come */
    readonly maxWidth?: number;
    /** Names of the models that are to look at the pictures elsewhere (Image.models) */
    readonly models?: readonly string[];
  };
  /** Video with the objects drawn on it; left out: none */
  readonly annotated?: {
    /** rtsp: served here; udp: RTP sent to host */
    readonly type: 'rtsp' | 'udp';
    /** For udp (127.0.0.1) */
    readonly host?: string;
    readonly port: number;
    readonly bitrateKbps?: number;
    /** Of the video; several streams share it as tiles (1280) */
    readonly width?: number;
    /** Likewise (720) */
    readonly height?: number;
  };
  /** Settings of the DeepStream backend */
  readonly deepstream?: {
    /** CUDA device */
    readonly gpuId?: number;
    /** Of the TensorRT engines */
    readonly precision?: 'fp32' | 'fp16' | 'int8';
    /** nvurisrcbin reconnects inside the pipeline; rtspsrc is Sightline's own path, with a graph a stream. auto: rtspsrc for rtsps://, else nvurisrcbin */
    readonly source?: 'auto' | 'nvurisrcbin' | 'rtspsrc';
    readonly muxer?: {
      /** old scales every frame to one size; new does not */
      readonly kind?: 'old' | 'new';
      /** Batch size in pixels, old only (1920) */
      readonly width?: number;
      /** Batch size in pixels, old only (1080) */
      readonly height?: number;
      /** Keep the aspect ratio with black bars, old only */
      readonly padding?: boolean;
      /** Longest wait for a full batch; default 40000 live, -1 files (old) */
      readonly batchTimeoutUs?: number;
      /** Time of capture is the host's clock at the muxer, not RTCP's */
      readonly systemTime?: boolean;
    };
    /** nvinferserver: Triton */
    readonly engine?: 'nvinfer' | 'nvinferserver';
    /** Folder of Triton models, for nvinferserver */
    readonly modelRepository?: string;
    readonly tracker?: {
      /** Pixels, a multiple of 32 */
      readonly width?: number;
      /** Likewise */
      readonly height?: number;
    };
    /** Properties by element factory, over those Sightline sets */
    readonly elements?: {
      readonly [name: string]: {
        readonly [name: string]: string | number | boolean;
      };
    };
  };
  /** How ONNX Runtime uses a GPU; no effect on the CPU and with DeepStream */
  readonly onnxRuntime?: {
    /** tensorrt builds engines at its first start, which takes minutes; without its libraries: cuda */
    readonly provider?: 'cuda' | 'tensorrt';
    /** CUDA device */
    readonly gpuId?: number;
  };
};
