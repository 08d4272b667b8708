import { Type } from 'typebox';
import { Count, listOf, named, ReasonSchema, ref, Time, Word } from './shared.ts';

export const SinkSchema = named('Sink', {
  id: Type.String(),
  type: Type.String(),
  state: Type.String({ description: 'ok, backoff, paused or closed' }),
  required: Type.Boolean({ description: 'Whether its records hold the disk until delivered' }),
  accepted: Count('Records accepted for this sink = delivered + deadLettered + shed + pending'),
  pending: Count('Records that wait'),
  delivered: Count('Records the sink confirmed'),
  deadLettered: Count('Records it will never take'),
  shed: Count('Records given up by a declared bound'),
  oldestAgeMs: Count('Age of the oldest record that waits'),
  lastError: Type.Optional(
    Type.Object(
      { code: Type.String(), message: Type.String(), at: Time('When') },
      { additionalProperties: false },
    ),
  ),
});

export const OutboxSchema = named('Outbox', {
  state: Type.String(),
  bytes: Count('Bytes it holds on the disk'),
  refused: Type.Unsafe<Readonly<Record<string, number>>>({
    type: 'object',
    additionalProperties: { type: 'number' },
    description: 'Records refused before they were accepted, by reason',
  }),
});

export const ModelSchema = named('Model', {
  name: Type.String(),
  state: Word(['ready', 'unusable'], 'unusable: the reason says why'),
  reason: Type.Optional(ref(ReasonSchema)),
  version: Type.Optional(Type.String()),
  task: Type.Optional(Word(['detector', 'classifier'])),
  description: Type.Optional(Type.String()),
  licence: Type.Optional(Type.String({ description: 'SPDX identifier' })),
  input: Type.Optional(
    Type.Object(
      { width: Type.Number(), height: Type.Number() },
      { additionalProperties: false, description: 'Pixels' },
    ),
  ),
  batch: Type.Optional(Word(['dynamic', 'fixed'])),
  sha256: Type.Optional(Type.String({ description: 'Of its ONNX file' })),
  labels: Type.Optional(listOf(Type.String(), 'What it can find')),
});
