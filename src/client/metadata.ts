import type { FrameJson } from '../metadata/frame-json.ts';
import { follow } from './follow.ts';
import type { Transport } from './transport.ts';
import type { CallOptions } from './types.ts';

export interface MetadataOptions extends CallOptions {
  /** Default: frames of all streams. */
  readonly streamId?: string;
  /** Called with how many frames were left out because they were not taken in time. */
  readonly onDropped?: (frames: number) => void;
  /** Called when the line is up (true) and when it is lost (false); what comes meanwhile is missed. */
  readonly onConnection?: (open: boolean) => void;
}

/** Frames as they come, until `signal` aborts or the caller breaks the loop; over breaks of the line. */
export async function* watchMetadata(
  transport: Transport,
  { streamId, signal, onDropped, onConnection }: MetadataOptions,
): AsyncGenerator<FrameJson> {
  const line = { ...(signal && { signal }), query: { streamId }, onConnection };
  for await (const { event, data } of follow(transport, '/v1/metadata', line)) {
    if (data === undefined) continue;
    if (event === 'frame') yield JSON.parse(data) as FrameJson;
    else if (event === 'dropped') onDropped?.((JSON.parse(data) as { frames: number }).frames);
  }
}
