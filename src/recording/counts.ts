/** What happened to recordings since the start, by stream. */
export interface StreamRecordingCounts {
  segments: number;
  bytes: number;
  frames: number;
  /** Access units that came and were not recorded, by their numbers. */
  framesMissing: number;
  /** Frames of fragments that a writer did not finish. */
  framesLost: number;
  stored: number;
  shed: number;
  shedFrames: number;
  lost: number;
  gaps: number;
}

export class RecordingCounts {
  readonly #byStream = new Map<string, StreamRecordingCounts>();

  of(streamId: string): StreamRecordingCounts {
    let counts = this.#byStream.get(streamId);
    if (counts === undefined) {
      counts = {
        ...{ segments: 0, bytes: 0, frames: 0, framesMissing: 0, framesLost: 0 },
        ...{ stored: 0, shed: 0, shedFrames: 0, lost: 0, gaps: 0 },
      };
      this.#byStream.set(streamId, counts);
    }
    return counts;
  }

  all(): ReadonlyMap<string, Readonly<StreamRecordingCounts>> {
    return this.#byStream;
  }
}
