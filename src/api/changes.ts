import type { FastifyReply } from 'fastify';
import type { Change, PipelineView } from '../control/types.ts';
import { etagOf } from './preconditions.ts';

/**
 * Answers a change of the desired state: 202 with the job in `Location` while it is under way, else 201 with where the
 * new thing is, else 200.
 */
export function answerChange<View extends { readonly generation: number }>(
  reply: FastifyReply,
  change: Change<PipelineView>,
  view: View,
  path: string,
): View {
  reply.header('etag', etagOf(view));
  if (change.job?.state === 'running') {
    reply.status(202).header('location', `/v1/jobs/${encodeURIComponent(change.job.id)}`);
    reply.header('content-location', path);
  } else if (change.created) {
    reply.status(201).header('location', path);
  } else {
    reply.status(200);
  }
  return view;
}
