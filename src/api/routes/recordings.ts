import type { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { SightlineError } from '../../common/errors.ts';
import type { SegmentRow } from '../../recording/catalogue.ts';
import type { VideoStream } from '../../recording/clips.ts';
import { linkNext, listName, pageQuery } from '../cursors.ts';
import type { ApiContext, RecordingsView } from '../dependencies.ts';
import { problemResponses } from '../problem.ts';
import { GapReportSchema, RecordedSegmentSchema } from '../schemas/recordings.ts';
import { pageOf, ref } from '../schemas/shared.ts';
import type { RecordedSegment } from '../schemas.ts';

const DAY_MS = 86_400_000;
/** Of one clip. */
const MAX_CLIP_MS = 3_600_000;

const StreamId = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$',
  description: 'Id of the stream',
});
const Time = (description: string) =>
  Type.String({ format: 'date-time', description: `${description} (RFC 3339)` });
const ListQuery = Type.Object(
  {
    stream: StreamId,
    from: Type.Optional(Time('Default: a day before `to`')),
    to: Type.Optional(Time('Default: now')),
    ...pageQuery,
  },
  { additionalProperties: false },
);
const GapsQuery = Type.Object(
  {
    stream: StreamId,
    date: Type.String({ format: 'date', description: 'yyyy-MM-dd, UTC' }),
  },
  { additionalProperties: false },
);
const ClipQuery = Type.Object(
  { stream: StreamId, from: Time('Begin'), to: Time('End, at most an hour later') },
  { additionalProperties: false },
);
const OneParams = Type.Object({ id: Type.String({ pattern: '^[1-9]\\d{0,14}$' }) });

const video = (contentType: string, description: string) => ({
  description,
  content: {
    [contentType]: { schema: Type.Unsafe<Readable>({ type: 'string', format: 'binary' }) },
  },
});

/** Recorded video: what there is, what is missing, and the video itself. */
export function recordingRoutes({ recordings, cursors }: ApiContext): FastifyPluginAsyncTypebox {
  const service = (): RecordingsView => {
    if (recordings !== undefined) return recordings;
    throw new SightlineError(
      'SL_NOT_FOUND',
      'Nothing is recorded here: the configuration has no "recording"',
    );
  };
  return async (app) => {
    app.get(
      '/recordings',
      {
        schema: {
          tags: ['recordings'],
          summary: 'Segments of a stream that touch a time, oldest first',
          querystring: ListQuery,
          response: { 200: pageOf(ref(RecordedSegmentSchema)), ...problemResponses(400, 404) },
        },
      },
      async ({ query }, reply) => {
        const view = service();
        const { stream: streamId } = query;
        const toMs = query.to === undefined ? Date.now() : Date.parse(query.to);
        const fromMs = query.from === undefined ? toMs - DAY_MS : Date.parse(query.from);
        const list = listName('/v1/recordings', query);
        const page = await cursors.pageFrom({
          ...{ list, query },
          read: async (after, limit) => {
            const [startMs = Number.MIN_SAFE_INTEGER, id = 0] = (after ?? []) as number[];
            return view.segments({ streamId, fromMs, toMs }, { startMs, id }, limit).map(shown);
          },
          positionOf: ({ start, id }) => [Date.parse(start), id],
        });
        linkNext(reply, list, page, query.limit);
        return page;
      },
    );

    app.get(
      '/recordings/gaps',
      {
        schema: {
          tags: ['recordings'],
          summary: 'What is missing of a day',
          description:
            'Times without frames, and frames whose numbers are missing. Capture times count, so a camera that was away shows as well as a receiver that was.',
          querystring: GapsQuery,
          response: { 200: ref(GapReportSchema), ...problemResponses(400, 404) },
        },
      },
      async ({ query }) => service().gaps(query.stream, query.date),
    );

    app.get(
      '/recordings/clip.mp4',
      {
        schema: {
          tags: ['recordings'],
          summary: 'A time as one MP4, nothing encoded anew',
          description:
            'Whole fragments: it may begin and end some frames before and after the time that was asked for. What is missing stays missing in its time line.',
          querystring: ClipQuery,
          response: { 200: video('video/mp4', 'The clip'), ...problemResponses(400, 404, 503) },
        },
      },
      async ({ query }, reply) => {
        const [fromMs, toMs] = [Date.parse(query.from), Date.parse(query.to)];
        if (toMs <= fromMs || toMs - fromMs > MAX_CLIP_MS) {
          const message = 'Cannot cut this clip: "to" must be after "from", by at most an hour';
          throw new SightlineError('SL_REQUEST_INVALID', message);
        }
        return sendVideo(reply, await service().clip({ streamId: query.stream, fromMs, toMs }));
      },
    );

    app.get(
      '/recordings/:id/video',
      {
        schema: {
          tags: ['recordings'],
          summary: 'A segment as it was recorded',
          params: OneParams,
          response: { 200: video('video/mp4', 'The file'), ...problemResponses(400, 404, 503) },
        },
      },
      async ({ params }, reply) => sendVideo(reply, await service().video(Number(params.id))),
    );
  };
}

function sendVideo(reply: FastifyReply, { contentType, bytes, fileName, body }: VideoStream) {
  return reply
    .type(contentType)
    .headers({
      ...(bytes === undefined ? {} : { 'content-length': bytes }),
      'content-disposition': `inline; filename="${fileName.replace(/[^\w.-]/g, '_')}"`,
    })
    .send(body);
}

function shown(row: SegmentRow): RecordedSegment {
  const { id, streamId, session, key, bytes, frames, state, whole, local } = row;
  return {
    ...{ id, streamId, session, bytes, frames, state, whole, local },
    ...(key === null ? {} : { key }),
    start: new Date(row.startMs).toISOString(),
    end: new Date(row.endMs).toISOString(),
    framesMissing: row.missing,
    framesLost: row.lost,
    ...(row.codec === '' ? {} : { codec: row.codec }),
    ...(row.sha256 === '' ? {} : { sha256: row.sha256 }),
  };
}
