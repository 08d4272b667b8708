/**
 * Where recorded video of a moment lies: what a rule that saw something keeps as evidence. The contract between the
 * recordings and whoever cites them.
 */

/** Bytes of one segment. Together with the segment's first `initBytes` bytes they can be played. */
export interface ClipReference {
  /** Of the segment in its store; see sightline.v1.Segment.key. */
  readonly key: string;
  /** First byte of the first fragment. */
  readonly byteStart: number;
  /** After the last byte of the last fragment. */
  readonly byteEnd: number;
  readonly initBytes: number;
  /** Capture time of the first frame in these bytes, and of the end of the last, ms since the Unix epoch. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface ClipFinder {
  /**
   * The recorded fragments of a stream that touch the time, in its order; empty where nothing was recorded. Of a segment
   * that is still being written there are those that are whole by now, so ask again once the time has passed.
   * @param fromMs ms since the Unix epoch, as is `toMs`
   */
  find(streamId: string, fromMs: number, toMs: number): Promise<readonly ClipReference[]>;
}
