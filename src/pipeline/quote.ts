/** Needs no quotes in any shell nor in GStreamer's launch syntax. */
const PLAIN = /^[A-Za-z0-9_./:@%+-]+$/;
/** What a quoted launch value may hold as it is: printable ASCII without the quote and the backslash. */
const PRINTABLE = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
/** What GStreamer's string values hold unescaped (GST_ASCII_IS_STRING). */
const UNESCAPED = /[A-Za-z0-9_./:+-]/;

/** One word of a POSIX shell that stands for exactly this text. The text must not hold NUL. */
export function shellWord(text: string): string {
  if (PLAIN.test(text) || /^[A-Za-z0-9_-]+=[A-Za-z0-9_./:@%+-]+$/.test(text)) return text;
  return text === '!' ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * A property value in GStreamer's launch syntax. There are three forms, because the launch lexer takes the longest
 * match and knows no escaped backslash: bare; in quotes; and, for texts with quotes, backslashes or anything beyond
 * ASCII, a serialised string (octal escapes) inside quotes, which holds no character the lexer cares for.
 */
export function launchValue(value: string | number | boolean): string {
  const text = String(value);
  if (typeof value !== 'string') return text;
  // GStreamer reads the bare word NULL as no string at all.
  if (text === 'NULL' || !PRINTABLE.test(text)) return serialised(text);
  return PLAIN.test(text) ? text : `"${text}"`;
}

function serialised(text: string): string {
  let escaped = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const char = String.fromCharCode(byte);
    // Twice: the launch syntax takes one backslash away, the string's own syntax reads the other.
    escaped += UNESCAPED.test(char) ? char : `\\\\${byte.toString(8).padStart(3, '0')}`;
  }
  return `"\\"${escaped}\\""`;
}
