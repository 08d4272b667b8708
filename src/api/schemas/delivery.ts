import { Type } from 'typebox';
import { AnyObject, Count, listOf, named, ReasonSchema, ref, Time, Word } from './shared.ts';

const LastError = Type.Optional(
  Type.Object(
    { code: Type.String(), message: Type.String(), at: Time('When') },
    { additionalProperties: false },
  ),
);

export const SinkSchema = named(
  'Sink',
  {
    id: Type.String(),
    type: Type.String({ description: 'unknown: it is gone' }),
    source: Word(
      ['config', 'api', 'gone'],
      'Who asked for it; gone: nobody any more, and records wait for it',
    ),
    generation: Count('Counts changes; it is the ETag'),
    createdAt: Type.Optional(Time('Made through the API')),
    updatedAt: Type.Optional(Time('Changed through the API')),
    spec: Type.Optional(AnyObject('As asked for, with its defaults; secrets are ***')),
    state: Word(
      ['ok', 'backoff', 'paused', 'invalid', 'orphaned', 'closed'],
      'invalid: this version cannot make it any more',
    ),
    pauseReason: Type.Optional(
      Word(['operator', 'credentials'], 'credentials: it refuses them and is asked slowly'),
    ),
    circuit: Type.Optional(Word(['closed', 'open', 'half-open'], 'open: it is left alone')),
    nextAttemptInMs: Type.Optional(Count('Until it is tried again; 0: no try is put off')),
    retries: Type.Optional(Count('Records that had to be sent again, since the start')),
    backupObjects: Type.Optional(Count('Objects that its backup took, since the start')),
    required: Type.Boolean({ description: 'false: its backlog is shed first' }),
    accepted: Count(
      'Records accepted for it = delivered + filtered + deadLettered + shed + pending, always',
    ),
    pending: Count('Records that wait'),
    delivered: Count('Records it confirmed'),
    filtered: Count('Records its own `when` kept from it'),
    deadLettered: Count('Records it will never take'),
    shed: Count('Records given up by a declared bound'),
    oldestAgeMs: Count('Age of the oldest record that waits'),
    lastError: LastError,
  },
  'Where records go, and how it fares',
);

export const OutboxSchema = named('Outbox', {
  state: Word(
    ['ok', 'storage-full', 'storage-failed', 'failed', 'closed'],
    'storage-full, storage-failed: new records are shed until the disk takes them again',
  ),
  bytes: Count('Bytes it holds on the disk'),
  refused: Type.Unsafe<Readonly<Record<string, number>>>({
    type: 'object',
    additionalProperties: { type: 'number' },
    description: 'Records refused before they were accepted, by reason',
  }),
  deadLettersDropped: Count('Dead letters given up to keep their bounds'),
  corruptRecords: Count('Records whose stored bytes were found damaged'),
  lastError: LastError,
});

export const DeadLetterPayloadSchema = Type.Object(
  {
    frame: Type.Optional(Type.Unsafe<object>({ type: 'object', additionalProperties: true })),
    event: Type.Optional(Type.Unsafe<object>({ type: 'object', additionalProperties: true })),
    image: Type.Optional(
      Type.Object(
        { contentType: Type.String(), ref: Type.String(), bytes: Count('Size of the picture') },
        { additionalProperties: false },
      ),
    ),
    damaged: Type.Optional(Type.Boolean({ description: 'Its bytes cannot be read' })),
  },
  { additionalProperties: false, description: 'What the record says; of pictures the facts alone' },
);

export const DeadLetterSchema = named('DeadLetter', {
  id: Type.String({ description: 'Decimal; grows' }),
  sinkId: Type.String(),
  kind: Word(['frame', 'image', 'event', 'segment']),
  streamId: Type.String(),
  recordId: Type.String(),
  capturedAt: Time('When the record was captured'),
  deadAt: Time('When the sink refused it for good'),
  attempts: Count('How often it was sent'),
  reason: ref(ReasonSchema),
  payloadBytes: Count('Size of the record'),
  payload: Type.Optional(DeadLetterPayloadSchema),
});

/** Which dead letters: by id, or all of a sink. */
export const LetterChoice = Type.Object(
  {
    ids: Type.Optional(
      listOf(Type.String({ minLength: 1, maxLength: 40 }), 'At most 1000 of them'),
    ),
    sinkId: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  },
  { additionalProperties: false, description: '`ids` or `sinkId`' },
);
