import { Type } from 'typebox';
import { Count, listOf, named, Time, Word } from './shared.ts';

export const RecordedSegmentSchema = named(
  'RecordedSegment',
  {
    id: Type.Integer({ description: 'For its download' }),
    streamId: Type.String(),
    session: Type.String(),
    key: Type.Optional(Type.String({ description: 'In its store; absent while it is written' })),
    start: Time('Capture time of its first frame'),
    end: Time('End of its last frame; of an open one its start'),
    bytes: Count('0 while it is written'),
    frames: Count('Frames in it'),
    framesMissing: Count('Numbers missing between them: frames that were not recorded'),
    framesLost: Count('Frames of fragments that the writer did not finish'),
    codec: Type.Optional(Type.String({ description: 'h264 or h265' })),
    sha256: Type.Optional(Type.String({ description: 'Of the file, in hex' })),
    state: Word(
      ['open', 'closed', 'uploading', 'stored', 'shed', 'lost'],
      'closed: it waits for the store; shed: given up to keep a bound; lost: nothing of it could be read',
    ),
    whole: Type.Boolean({ description: 'false: it is open, or its writer died' }),
    local: Type.Boolean({ description: 'There is a file on this machine' }),
  },
  'A piece of a recording',
);

export const GapReportSchema = named(
  'GapReport',
  {
    streamId: Type.String(),
    date: Type.String({ description: 'yyyy-MM-dd, UTC' }),
    from: Time(
      'Begin of the part of the day it is about: the first recording there is, at the earliest',
    ),
    to: Time('Its end: now, at the latest'),
    segments: Count('Segments that touch it'),
    frames: Count('Frames in them'),
    framesMissing: Count('Numbers missing between frames of a session'),
    framesLost: Count('Frames of fragments that the writer did not finish'),
    framesShed: Count('Frames of segments that were given up to keep a bound'),
    completeness: Type.Number({
      minimum: 0,
      maximum: 1,
      description: 'Share of the time that has frames',
    }),
    gaps: listOf(
      Type.Object({ from: Time('Begin'), to: Time('End'), seconds: Count('Between them') }),
      'Times without frames, longer than two frames and than 2 s',
    ),
  },
  'What is missing of a day',
);
