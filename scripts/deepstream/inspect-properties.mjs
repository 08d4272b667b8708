/** Every object has these; a graph cannot set them. */
const LEFT_OUT = new Set(['name', 'parent']);

const NUMBERS = {
  Integer: 'int',
  'Unsigned Integer': 'uint',
  Long: 'long',
  'Unsigned Long': 'ulong',
  Integer64: 'int64',
  'Unsigned Integer64': 'uint64',
  Float: 'float',
  Double: 'double',
};

/**
 * Properties by name, in the order of the text.
 *
 * @param {string[]} lines below "Element Properties:"
 */
export function parseProperties(lines) {
  const blocks = [];
  for (const line of lines) {
    const start = /^ {2}([A-Za-z][\w-]*) *: /.exec(line);
    if (start) blocks.push({ name: start[1], lines: [] });
    else blocks.at(-1)?.lines.push(line);
  }
  const entries = blocks
    .filter(({ name }) => !LEFT_OUT.has(name))
    .map(({ name, lines: block }) => [name, parseProperty(block)]);
  return Object.fromEntries(entries);
}

/** @param {string[]} lines below the line with the name: flags, type, and the values of an enum */
function parseProperty(lines) {
  const at = lines.findIndex((line) => /^\s+flags: /.test(line));
  const flags = at < 0 ? '' : lines[at].replace(/^\s+flags: /, '');
  const rest = lines.slice(at + 1);
  return { ...parseType(rest), ...parseFlags(flags) };
}

function parseFlags(text) {
  const readable = /\breadable\b/.test(text);
  const writable = /\bwritable\b/.test(text);
  return {
    ...(readable && writable ? {} : { access: readable ? 'r' : 'w' }),
    ...changeable(text),
    ...(/\bdeprecated\b/.test(text) ? { deprecated: true } : {}),
  };
}

/** The highest state in which the element promises to honour a change; nothing where it promises nothing. */
function changeable(text) {
  if (/\bcontrollable\b/.test(text)) return { change: 'controllable' };
  const states = /changeable (?:only )?in (.+?) state/.exec(text)?.[1];
  if (states === undefined) return {};
  const highest = ['PLAYING', 'PAUSED', 'READY'].find((state) => states.includes(state)) ?? 'NULL';
  return { change: highest.toLowerCase() };
}

function parseType(lines) {
  const line = lines[0]?.trim() ?? '';
  const number = /^([A-Z][\w ]+?)\. Range:\s*(\S+) -\s*(\S+)\s+Default:\s*(\S+)/.exec(line);
  if (number && number[1] in NUMBERS) {
    const [low, high, initial] = number.slice(2).map(exact);
    return { type: NUMBERS[number[1]], min: low, max: high, default: initial };
  }
  const flag = /^Boolean\. Default: (true|false)/.exec(line);
  if (flag) return { type: 'boolean', default: flag[1] === 'true' };
  if (/^Boolean\./.test(line)) return { type: 'boolean' };
  if (/^String\./.test(line)) return { type: 'string', ...stringDefault(line) };
  if (/^Enum /.test(line)) return { type: 'enum', ...enumDefault(line), values: values(lines) };
  if (/^Flags /.test(line)) return { type: 'flags', ...flagsDefault(line), values: values(lines) };
  // A default that is not NULL is printed as caps are.
  if (/^(Caps\b|ANY$|EMPTY$|[a-z]+\/\S+$)/.test(line)) return { type: 'caps' };
  if (/^Fraction\./.test(line)) return { type: 'fraction' };
  return { type: 'object' };
}

/** A number as JSON can hold it: integers that a double cannot hold exactly stay text. */
function exact(text) {
  const number = Number(text);
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? text : number;
}

/** Text that only this process has (a time, a random name) is no default. */
function stringDefault(line) {
  const text = /^String\. Default: (".*"|null)/.exec(line)?.[1];
  if (text === undefined || /\d{7}|^"\/tmp\//.test(text)) return {};
  return { default: text === 'null' ? null : text.slice(1, -1) };
}

function enumDefault(line) {
  const number = /Default: (-?\d+)/.exec(line)?.[1];
  return number === undefined ? {} : { default: Number(number) };
}

function flagsDefault(line) {
  const number = /Default: (0x[0-9a-f]+)/i.exec(line)?.[1];
  return number === undefined ? {} : { default: Number(number) };
}

/** Nick to number; of two with one nick the first counts, as in GObject's own look-up. */
function values(lines) {
  const found = {};
  for (const line of lines) {
    const value = /^\s+\((-?\d+|0x[0-9a-f]+)\): (.+?)\s+- /i.exec(line);
    if (value && !(value[2] in found)) found[value[2]] = Number(value[1]);
  }
  return found;
}
