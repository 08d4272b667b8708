import { Readable } from 'node:stream';
import type { RecordingsView } from '../../src/api/dependencies.ts';
import { SightlineError } from '../../src/common/errors.ts';
import type { SegmentRow } from '../../src/recording/catalogue.ts';

const START_MS = Date.UTC(2026, 0, 31, 13);

function row(id: number): SegmentRow {
  return {
    ...{ id, streamId: 'door', session: 's', number: id, container: 'mp4', key: `door/${id}.mp4` },
    ...{ startMs: START_MS, endMs: START_MS + 4000, bytes: 9, frames: 40, missing: 0, lost: 0 },
    ...{ firstSequence: 0, lastSequence: 39, frameMs: 100, sha256: 'ab', codec: 'h264' },
    ...{ initBytes: 4, fragments: [], gaps: [], state: 'stored', whole: true, told: true },
    local: false,
  };
}

const notFound = (): Promise<never> =>
  Promise.reject(new SightlineError('SL_NOT_FOUND', 'Nothing is recorded of it'));
const video = () => ({
  ...{ contentType: 'video/mp4', bytes: 9, fileName: 'door.mp4' },
  body: Readable.from([Buffer.from('not video')]),
});

/** Two segments of one stream, for tests of the routes; the parts themselves have tests of their own. */
export function recordingsDouble(): RecordingsView {
  return {
    segments: (_query, _after, limit) => [row(1), row(2)].slice(0, limit),
    gaps: async (streamId, date) => {
      if (streamId !== 'door') return notFound();
      const time = new Date(START_MS).toISOString();
      return {
        ...{ streamId, date, from: time, to: time, segments: 2, frames: 80, framesMissing: 0 },
        ...{ framesLost: 0, framesShed: 0, completeness: 1 },
        gaps: [{ from: time, to: time, seconds: 3 }],
      };
    },
    video: async (id) => (id === 1 ? video() : notFound()),
    clip: async () => video(),
    figures: () => ({
      streams: new Map(),
      ...{ pendingSegments: 0, pendingBytes: 0, oldestPendingMs: 0, localBytes: 0, openBytes: 0 },
      ...{ uploading: 0, retries: 0 },
    }),
  };
}
