import type { SegmentStore } from './stores/store.ts';

/** How recordings are kept; configs/sightline.yaml shows the keys with their defaults. */
export interface RecordingSettings {
  /** Where the workers write and segments wait for the store; absolute. */
  readonly dir: string;
  /** File of the catalogue; absolute. */
  readonly catalogueFile: string;
  readonly store: SegmentStore;
  /** Uploads at a time. */
  readonly concurrency: number;
  /** How long a file stays on this machine after the store has it. */
  readonly keepLocalMs: number;
  /** Of the files on this machine. */
  readonly bounds: {
    readonly maxBytes: number;
    readonly maxAgeMs: number;
    readonly minFreeBytes: number;
    readonly minFreePercent: number;
  };
  /** Of what is stored, by the catalogue. */
  readonly retention: {
    readonly maxAgeMs: number;
    /** Absent: as much as there is room for. */
    readonly maxBytes?: number;
  };
}

/** What the recordings must know of a stream. */
export interface RecordedStream {
  readonly sensorId?: string;
  /** Ids of the sinks its records go to; absent: all that take them. */
  readonly sinks?: readonly string[];
}

export type EmitRecordingEvent = (
  type: string,
  facts: Readonly<Record<string, string | number | boolean>>,
) => void;
