import { Type } from 'typebox';

export const ModelName = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$',
  description: 'Name of an installed model (sightline models list)',
});
