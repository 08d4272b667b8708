import type { CheckContext } from '../context.ts';
import { type GraphView, isTrue, numberOf, type ViewNode } from '../graph-view.ts';
import { isSet, textOf, unattended } from './common.ts';

/** nvurisrcbin and nvmultiurisrcbin: addresses they can keep up, and settings that do what they say. */
export function checkSources(view: GraphView, context: CheckContext): void {
  const bins = view.of('nvurisrcbin', 'nvmultiurisrcbin');
  for (const source of bins) {
    const uris = urisOf(source);
    for (const uri of uris) checkAddress(view, source, uri, context);
    const rtsp = uris.some((uri) => uri.startsWith('rtsp://'));
    checkTransport(view, source, context);
    if (rtsp || source.factory === 'nvmultiurisrcbin') checkReconnect(view, source, context);
    checkRecording(view, source, rtsp, context);
    if (rtsp && isTrue(source, 'file-loop')) {
      const text = '"file-loop" has no effect on rtsp://: only files can start over';
      context.report('warning', view, source, text, { property: 'file-loop' });
    }
    checkFamily(view, source, context);
  }
  for (const source of view.of('nvmultiurisrcbin')) checkServer(view, source, context);
  checkNumbers(view, view.of('nvurisrcbin'), context);
}

function urisOf(source: ViewNode): string[] {
  const list =
    source.factory === 'nvurisrcbin' ? textOf(source, 'uri') : textOf(source, 'uri-list');
  return list
    .split(',')
    .map((uri) => uri.trim())
    .filter((uri) => uri !== '');
}

function propertyOf(source: ViewNode): string {
  return source.factory === 'nvurisrcbin' ? 'uri' : 'uri-list';
}

function checkAddress(view: GraphView, source: ViewNode, uri: string, context: CheckContext): void {
  const property = propertyOf(source);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(uri)?.[1];
  if (scheme === undefined) {
    const text = `"${property}" must start with a scheme, such as file:///media/clip.mp4 or rtsp://`;
    context.report('error', view, source, text, { property });
  } else if (/^rtsp[a-z]/i.test(scheme)) {
    const remedy =
      scheme.toLowerCase() === 'rtspt'
        ? 'use rtsp:// and "select-rtp-protocol" 4'
        : 'read it with rtspsrc';
    const text = `cannot keep up ${scheme}://: it reconnects only what starts with rtsp://; ${remedy}`;
    context.report('error', view, source, text, { property });
  }
}

/** The numbers of these two are decimal where GStreamer's flags are hexadecimal. */
function checkTransport(view: GraphView, source: ViewNode, context: CheckContext): void {
  const protocol = numberOf(source, 'select-rtp-protocol');
  if (protocol !== 10 && protocol !== 20) return;
  const text = `"select-rtp-protocol" ${protocol} does not choose ${protocol === 10 ? 'HTTP' : 'TLS'} but a wrong set of transports; use 4 (TCP), 1 (UDP) or 7 (any)`;
  context.report('error', view, source, text, { property: 'select-rtp-protocol' });
}

function checkReconnect(view: GraphView, source: ViewNode, context: CheckContext): void {
  if ((numberOf(source, 'rtsp-reconnect-interval') ?? 0) > 0) return;
  const text =
    '"rtsp-reconnect-interval" is 0: a camera that stops sending is never connected again; 10 (seconds) is usual';
  context.report(unattended(view), view, source, text, { property: 'rtsp-reconnect-interval' });
}

function checkRecording(
  view: GraphView,
  source: ViewNode,
  rtsp: boolean,
  context: CheckContext,
): void {
  if ((numberOf(source, 'smart-record') ?? 0) === 0) return;
  const report = (level: 'error' | 'warning', property: string, text: string) =>
    context.report(level, view, source, text, { property });
  if (textOf(source, 'smart-rec-dir-path') === '') {
    const text = '"smart-rec-dir-path" must be set with "smart-record": it does not start without';
    report('error', 'smart-rec-dir-path', text);
  }
  if (source.factory === 'nvurisrcbin' && !rtsp) {
    report('error', 'smart-record', '"smart-record" works on rtsp:// only');
  } else if (source.factory === 'nvurisrcbin' && numberOf(source, 'type') !== 2) {
    report('warning', 'type', '"type" must be rtsp (2) with "smart-record"');
  }
  const seconds = numberOf(source, 'smart-rec-default-duration') ?? 20;
  if (seconds < 1 || seconds >= 300) {
    const text = `"smart-rec-default-duration" is ${seconds}; a recording lasts 1 to 299 seconds`;
    report('warning', 'smart-rec-default-duration', text);
  }
}

/** Handed to the decoder, which has them on cards only. */
const CARDS_ONLY = ['cudadec-memtype', 'low-latency-mode', 'extract-sei-type5-data'];

function checkFamily(view: GraphView, source: ViewNode, context: CheckContext): void {
  if (context.elements.family !== 'jetson') return;
  for (const property of CARDS_ONLY.filter((name) => isSet(source, name))) {
    const text = `"${property}" has no effect on Jetson: only the decoder of cards has it`;
    context.report('warning', view, source, text, { property });
  }
}

/** NVIDIA's server asks for no password, and some bodies end the process. */
function checkServer(view: GraphView, source: ViewNode, context: CheckContext): void {
  const port = isSet(source, 'port') ? textOf(source, 'port') : '9000';
  if (port === '0' || /^(127\.0\.0\.1|\[::1\]|localhost):\d+$/.test(port)) return;
  const text = `"port" ${JSON.stringify(port)} opens a server without a password on every network: write "127.0.0.1:${/\d+$/.exec(port)?.[0] ?? '9000'}", or "0" for none`;
  context.report(unattended(view), view, source, text, { property: 'port' });
}

/** Numbers are how messages and commands name a source. */
function checkNumbers(view: GraphView, sources: readonly ViewNode[], context: CheckContext): void {
  const seen = new Map<number, ViewNode>();
  for (const source of sources) {
    const id = numberOf(source, 'source-id') ?? -1;
    if (id < 0) continue;
    const other = seen.get(id);
    if (other !== undefined) {
      const text = `"source-id" ${id} is that of "${other.id}" too: every source needs its own`;
      context.report('error', view, source, text, { property: 'source-id' });
    }
    seen.set(id, source);
    checkPadNumber(view, source, id, context);
  }
}

/** The number should be that of the muxer's pad: analytics go by the pad, messages by the source. */
function checkPadNumber(
  view: GraphView,
  source: ViewNode,
  id: number,
  context: CheckContext,
): void {
  let edge = source.out[0];
  while (edge !== undefined && edge.to.factory !== 'nvstreammux' && edge.to.out.length === 1) {
    edge = edge.to.out[0];
  }
  const pad = /^sink_(\d+)$/.exec(edge?.toPad ?? '')?.[1];
  if (edge?.to.factory !== 'nvstreammux' || pad === undefined || Number(pad) === id) return;
  const text = `"source-id" is ${id}, but it is linked to pad "${edge.toPad}" of the muxer: analytics call it ${pad}, messages ${id}`;
  context.report('warning', view, source, text, { property: 'source-id' });
}
