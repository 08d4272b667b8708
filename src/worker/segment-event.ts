import type { SegmentContainer, SegmentEvent } from '../common/segments.ts';
import type { PipelineEvent } from '../gst/events.ts';
import { allNodes } from '../gst/redact.ts';
import type { Graph } from '../pipeline/graph.ts';
import { streamOf } from './graph-facts.ts';

/** What slrecord posts of its files (native/plugin/recorder.cc); undefined for any other event. */
export function segmentEvent(event: PipelineEvent, graph: Graph): SegmentEvent | undefined {
  if (event.type !== 'element' || event.structure?.name !== 'sightline-segment') return undefined;
  const { fields } = event.structure;
  const node = allNodes(graph).find(({ id }) => id === event.node);
  const streamId = node && streamOf(graph, node);
  if (streamId === undefined) return undefined;
  const text = (name: string) => String(fields[name] ?? '');
  const facts = {
    streamId,
    session: text('session'),
    number: Number(fields['number']),
    path: text('path'),
    notesPath: text('notes-path'),
    container: text('container') as SegmentContainer,
    codec: text('codec'),
    epoch: text('epoch'),
    firstPtsNs: text('first-pts-ns'),
  };
  const size = { bytes: Number(fields['bytes']), frames: Number(fields['frames']) };
  switch (fields['what']) {
    case 'opened':
      return { event: 'segment-opened', ...facts };
    case 'closed':
      return { event: 'segment-closed', ...facts, ...size, endPtsNs: text('end-pts-ns') };
    case 'abandoned':
      return { event: 'segment-abandoned', ...facts, ...size, message: text('message') };
    default:
      return undefined;
  }
}
