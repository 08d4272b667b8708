import { Type } from 'typebox';
import { listOf, named, ReasonSchema, ref, Word } from './shared.ts';

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
