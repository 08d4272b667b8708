import type { GapReport, RecordedSegment } from '../api/schemas.ts';
import { allOf, pageAt } from './resource.ts';
import { pathOf, type Transport } from './transport.ts';
import type { CallOptions, ListOptions, Page } from './types.ts';

/** Recorded time of a stream; RFC 3339. Default: the last 24 hours. */
export interface RecordingWindow {
  readonly stream: string;
  readonly from?: string;
  readonly to?: string;
}

/** Video that was recorded. */
export class Recordings {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** One page of segments, oldest first. */
  page(options: RecordingWindow & ListOptions): Promise<Page<RecordedSegment>> {
    return pageAt(this.#transport, pathOf('recordings'), options);
  }

  /** All segments of a window, oldest first. */
  all(options: RecordingWindow & ListOptions): AsyncGenerator<RecordedSegment> {
    return allOf(this.#transport, pathOf('recordings'), options);
  }

  /** What is missing of a day. @param options `date`: yyyy-MM-dd in UTC */
  gaps({
    signal,
    ...query
  }: { readonly stream: string; readonly date: string } & CallOptions): Promise<GapReport> {
    return this.#transport.json('GET', pathOf('recordings', 'gaps'), {
      query,
      ...(signal && { signal }),
    });
  }

  /** A whole segment as it was recorded; its body is to be read or cancelled. */
  video(id: number, { signal }: CallOptions = {}): Promise<Response> {
    return this.#transport.send('GET', pathOf('recordings', id, 'video'), {
      ...(signal && { signal }),
    });
  }

  /** A playable MP4 of a time, over the borders of segments; its body is to be read or cancelled. */
  clip({ signal, ...query }: Required<RecordingWindow> & CallOptions): Promise<Response> {
    return this.#transport.send('GET', pathOf('recordings', 'clip.mp4'), {
      query,
      ...(signal && { signal }),
    });
  }
}
