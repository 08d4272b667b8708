import type { Sink } from '../api/schemas.ts';
import type { StreamView } from '../control/types.ts';

const MAX_STREAMS_SHOWN = 4;

function describeStream({ id, status }: StreamView): string {
  if (status.state !== 'live') {
    const why = status.reason === undefined ? '' : ` (${status.reason.code})`;
    return `${id} ${status.state}${why}`;
  }
  const objects = Object.entries(status.objects)
    .map(([label, count]) => `${label} ${count}`)
    .join(', ');
  const latency =
    status.latencyMs === undefined ? '' : `, p50 ${status.latencyMs.p50.toFixed(0)} ms`;
  return (
    `${id} in ${status.fps.decoded.toFixed(1)} fps, inferred ${status.fps.inferred.toFixed(1)}${latency}, ` +
    `${objects === '' ? 'no objects' : objects}`
  );
}

/** One line that tells how the whole server fares; what a narrow terminal cuts off stands last. */
export function statusLine(streams: readonly StreamView[], sinks: readonly Sink[]): string {
  const shown = streams.slice(0, MAX_STREAMS_SHOWN).map(describeStream);
  const more = streams.length - shown.length;
  if (more > 0) {
    const live = streams.filter(({ status }) => status.state === 'live').length;
    shown.push(`and ${more} more (${live} of ${streams.length} live)`);
  }
  const pending = sinks.reduce((sum, sink) => sum + sink.pending, 0);
  const waiting = sinks
    .filter(({ state }) => state !== 'ok')
    .map(({ id, state }) => `${id} ${state}`);
  return [
    `pending ${pending}${waiting.length === 0 ? '' : ` (${waiting.join(', ')})`}`,
    ...(shown.length === 0 ? ['no streams'] : shown),
  ].join(' | ');
}

/** Shows the line once a second, in place on a terminal; stops with the signal. Logs above it stay readable. */
export function showStatus(
  read: () => string,
  options: { signal: AbortSignal; stream: NodeJS.WriteStream },
): void {
  const { signal, stream } = options;
  const timer = setInterval(() => {
    const line = read();
    const width = stream.columns ?? 80;
    stream.write(`\r\x1b[2K${line.length > width - 1 ? `${line.slice(0, width - 2)}…` : line}`);
  }, 1000);
  timer.unref();
  signal.addEventListener('abort', () => {
    clearInterval(timer);
    stream.write('\r\x1b[2K');
  });
}
