/** Keys and values of one group of a GLib key file. Booleans are written as 0 and 1, which every reader takes. */
export type Entries = readonly (readonly [key: string, value: string | number | boolean])[];

/** Text of a GLib key file: what nvinfer and slinfer read. */
export function formatKeyFile(
  comment: string,
  groups: readonly (readonly [name: string, entries: Entries])[],
): string {
  const body = groups.map(([name, entries]) => {
    const lines = entries.map(([key, value]) => `${key}=${formatValue(value)}`);
    return [`[${name}]`, ...lines, ''].join('\n');
  });
  return `# ${comment}\n${body.join('\n')}`;
}

function formatValue(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number') return String(value);
  // A backslash begins an escape, and blanks in front are cut off.
  return value.replaceAll('\\', '\\\\').replace(/^ /, '\\s');
}
