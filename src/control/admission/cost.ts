/** What is known of one stream's work, as measured. */
export interface StreamSample {
  readonly id: string;
  readonly priority: number;
  /** What it runs: streams with the same key cost about the same. */
  readonly model: string;
  /** Frames that its spec or a command wants passed over after each one that is looked at. */
  readonly asked: number;
  /** Likewise, what admission imposes; 0: nothing. */
  readonly imposed: number;
  readonly decodedFps: number;
  readonly inferredFps: number;
  readonly decodeMs: number;
  readonly inferMs: number;
}

export interface WorkerSample {
  /** Cores in use. */
  readonly cores: number;
  readonly streams: readonly StreamSample[];
}

/** What a stream costs, in cores. */
export interface StreamCost extends StreamSample {
  readonly used: number;
  /** If no frame were passed over but those that are asked to be. */
  readonly demand: number;
  /** CPU seconds of one frame that is looked at. */
  readonly perInference: number;
}

/** Shares a worker's cores out among its streams, by the time their decoders and detectors are at work. */
export function costsOf({ cores, streams }: WorkerSample): readonly StreamCost[] {
  const work = streams.map(workOf);
  const total = work.reduce((sum, { decode, infer }) => sum + decode + infer, 0);
  return streams.map((stream, index) => {
    const { decode, infer } = work[index]!;
    const share = total > 0 ? (decode + infer) / total : 1 / streams.length;
    const used = cores * share;
    const inferring = decode + infer > 0 ? (used * infer) / (decode + infer) : 0;
    const perInference = stream.inferredFps > 0 ? inferring / stream.inferredFps : 0;
    const wanted = stream.decodedFps / (stream.asked + 1);
    const missing = Math.max(0, wanted - stream.inferredFps);
    return { ...stream, used, demand: used + perInference * missing, perInference };
  });
}

function workOf({ decodedFps, decodeMs, inferredFps, inferMs }: StreamSample) {
  return { decode: decodedFps * decodeMs, infer: inferredFps * inferMs };
}

/** In place of a model's name, which has no space: pictures alone are made of the frames; they are only recorded. */
export const NO_DETECTOR = 'no detector';
export const NOT_DECODED = 'not decoded';

/** What is taken for true of a stream before one like it was measured. */
export const PRIOR = {
  framesPerSecond: 25,
  /** CPU of a frame of 1280x720 up to the detector. */
  decodeMs: 2,
  /** CPU of a frame that is received and recorded, bench/recording.ts. */
  receiveMs: 0.3,
  /** CPU of a frame in the detector, by model; measured with bench/infer.ts, the others by the size of their input. */
  inferMs: {
    'centernet-320x320': 18,
    'centernet-512x384': 34,
    'centernet-512x512': 45,
    [NO_DETECTOR]: 0,
    [NOT_DECODED]: 0,
  } as Readonly<Record<string, number>>,
  /** Of any other model. */
  otherInferMs: 60,
} as const;

/** A stream that is to be run. */
export interface PlannedStream {
  readonly model: string;
  readonly interval: number;
  /** Its model runs on a GPU: the cores only feed it. */
  readonly gpu: boolean;
}

/** Cores a new stream will need: as the middle one of those that run the same model does, else by the table. */
export function estimate(planned: PlannedStream, measured: readonly StreamCost[]): number {
  const same = measured
    .filter(({ model, demand }) => model === planned.model && demand > 0)
    .map(({ demand }) => demand)
    .sort((a, b) => a - b);
  const middle = same[Math.floor(same.length / 2)];
  if (middle !== undefined) return middle;
  const inferMs = planned.gpu ? 0 : (PRIOR.inferMs[planned.model] ?? PRIOR.otherInferMs);
  const { decodeMs, receiveMs } = PRIOR;
  const frameMs = planned.model === NOT_DECODED ? receiveMs : decodeMs;
  const perFrame = frameMs + inferMs / (planned.interval + 1);
  return (PRIOR.framesPerSecond * perFrame) / 1_000;
}
