/**
 * Signals (or, with `kind` "action", actions) by name.
 *
 * @param {string[]} lines below "Element Signals:" or "Element Actions:"
 * @param {'signal' | 'action'} kind
 * @returns {Record<string, {kind: string, args: string[]}>} the types of the arguments in C, without element and user data
 */
export function parseSignals(lines, kind) {
  const signals = {};
  const text = lines.join('\n');
  for (const [, name, args] of text.matchAll(/^ {2}"([^"]+)" :.*?\(([^)]*)\)/gms)) {
    const types = args.split(',').map((argument) => argument.trim().replace(/\s+\w+$/, ''));
    // The first argument is the element; the last of a signal is its handler's own.
    signals[name] = { kind, args: types.slice(1, kind === 'signal' ? -1 : undefined) };
  }
  return signals;
}
