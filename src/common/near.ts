/** Edit distance with swaps of neighbours (Damerau-Levenshtein, restricted), given up beyond `limit`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, beforeLast[j - 2]! + 1);
      }
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/**
 * Up to three of `known` that `word` was probably meant to be, best first; case does not count.
 * @param most greatest number of typing errors; default: a third of the word
 */
export function nearMatches(
  word: string,
  known: Iterable<string>,
  most = Number.POSITIVE_INFINITY,
): string[] {
  if (word.length > 64) return [];
  const wanted = word.toLowerCase();
  const limit = Math.min(most, Math.max(1, Math.floor(wanted.length / 3)));
  const found: { name: string; cost: number }[] = [];
  for (const name of known) {
    const cost = distance(wanted, name.toLowerCase(), limit);
    if (cost <= limit) found.push({ name, cost });
  }
  found.sort((a, b) => a.cost - b.cost);
  return found.slice(0, 3).map(({ name }) => name);
}

/** `; did you mean "a" or "b"?`, or nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const names = nearMatches(word, known).map((name) => JSON.stringify(name));
  return names.length === 0 ? '' : `; did you mean ${names.join(' or ')}?`;
}
