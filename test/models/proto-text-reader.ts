import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../src/common/paths.ts';

interface Field {
  readonly type: string;
  readonly repeated?: boolean;
  readonly map?: string;
  readonly oneOf?: string;
}
type Messages = Readonly<Record<string, Readonly<Record<string, Field>>>>;

const { textProto } = JSON.parse(
  readFileSync(join(ROOT, 'configs/deepstream/keys-9.1.json'), 'utf8'),
) as {
  textProto: {
    root: string;
    messages: Messages;
    enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
  };
};

export type Read = { readonly [field: string]: unknown };

/** Reads a text of nvinferserver's message by its schema: an unknown field, a wrong type or a double oneof throws. */
export function readNvinferserver(text: string): Read {
  const tokens = text
    .replace(/^#.*$/gm, '')
    .match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) as string[];
  const message = readMessage(tokens, textProto.root, textProto.messages);
  if (tokens.length > 0) throw new Error(`left over: ${tokens.join(' ')}`);
  return message;
}

function readMessage(tokens: string[], type: string, messages: Messages): Read {
  const fields = messages[type];
  if (fields === undefined) throw new Error(`no message ${type}`);
  const read: Record<string, unknown> = {};
  const chosen = new Map<string, string>();
  while (tokens.length > 0 && tokens[0] !== '}') {
    const name = tokens.shift()!;
    const field = fields[name];
    if (field === undefined) throw new Error(`${type} has no field ${name}`);
    if (field.oneOf !== undefined) {
      const other = chosen.get(field.oneOf);
      if (other !== undefined) throw new Error(`${type}: ${other} and ${name} exclude each other`);
      chosen.set(field.oneOf, name);
    }
    const values = readValues(tokens, field, messages);
    const many = field.repeated === true || field.map !== undefined;
    if (!many && (values.length !== 1 || name in read)) throw new Error(`${name} is not repeated`);
    read[name] = many ? [...((read[name] as unknown[]) ?? []), ...values] : values[0];
  }
  return read;
}

function readValues(tokens: string[], field: Field, messages: Messages): unknown[] {
  if (tokens[0] === '{') return [readBlock(tokens, field, messages)];
  if (tokens.shift() !== ':') throw new Error('":" is missing');
  if (tokens[0] === '{') return [readBlock(tokens, field, messages)];
  const first = tokens.shift()!;
  if (first !== '[') return [readScalar(first, field.type)];
  const values: unknown[] = [];
  for (let token = tokens.shift()!; token !== ']'; token = tokens.shift()!) {
    if (token !== ',') values.push(readScalar(token, field.type));
  }
  return values;
}

function readBlock(tokens: string[], { type, map }: Field, messages: Messages): Read {
  tokens.shift();
  const entry = map === undefined ? undefined : { key: { type: map }, value: { type } };
  const known = entry === undefined ? messages : { ...messages, entry };
  const read = readMessage(tokens, entry === undefined ? type : 'entry', known);
  if (tokens.shift() !== '}') throw new Error('"}" is missing');
  return read;
}

function readScalar(token: string, type: string): unknown {
  const words = textProto.enums[type];
  if (words !== undefined) {
    if (!(token in words)) throw new Error(`${type} has no ${token}`);
    return token;
  }
  if (type === 'string') {
    if (!token.startsWith('"')) throw new Error(`${token} is no string`);
    return JSON.parse(token);
  }
  if (type === 'bool') {
    if (token !== 'true' && token !== 'false') throw new Error(`${token} is no bool`);
    return token === 'true';
  }
  const number = Number(token);
  const whole = /^(u?int)(32|64)$/.exec(type);
  if (Number.isNaN(number) || (whole !== null && !Number.isInteger(number))) {
    throw new Error(`${token} is no ${type}`);
  }
  if (whole?.[1] === 'uint' && number < 0) throw new Error(`${token} is negative`);
  return number;
}
