import { Type } from 'typebox';

export const Port = (description: string, least = 1) =>
  Type.Integer({ minimum: least, maximum: 65_535, description });
