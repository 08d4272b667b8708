import type { FrameJson } from '../metadata/frame-json.ts';
import type { SegmentJson } from '../metadata/segment-json.ts';
import type { DeepStreamFrame } from './deepstream.ts';

interface Common {
  /** The same whenever the record is delivered again: remember it to remove duplicates. */
  readonly recordId: string;
  readonly streamId: string;
}

/** A frame in the JSON mapping of sightline.v1.Frame, whether it came as protobuf or JSON. */
export interface FrameRecord extends Common {
  readonly kind: 'frame';
  /** Sinks with `fields` leave out the rest. */
  readonly frame: FrameJson;
}

/** A frame from a sink with `format: deepstream`. */
export interface DeepStreamRecord extends Common {
  readonly kind: 'deepstream';
  readonly frame: DeepStreamFrame;
}

export interface ImageRecord extends Common {
  readonly kind: 'image';
  /** Key of the picture: `imageRef` of its frame. */
  readonly ref: string;
  readonly contentType: string;
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** The whole record, a sightline.v1.Image; `data` lies in it. */
  readonly bytes: Uint8Array;
  /** Of its stream's owner in a fleet; absent without one. */
  readonly epoch?: number;
}

/** A recorded file and where each of its frames lies. Long ones come in several: `recordId` tells them apart, `key` does not. */
export interface SegmentRecord extends Common {
  readonly kind: 'segment';
  readonly segment: SegmentJson;
}

/** What happened to a stream, a camera or a worker. */
export interface EventRecord extends Common {
  readonly kind: 'event';
  readonly event: Readonly<Record<string, unknown>> & { readonly type?: string };
}

export type SightlineRecord =
  | FrameRecord
  | DeepStreamRecord
  | ImageRecord
  | SegmentRecord
  | EventRecord;
