/** A number, or "NaN", "Infinity" and "-Infinity", which JSON numbers cannot express. */
export type JsonNumber = number | string;

const POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12];

/**
 * The 32-bit float `value` as the JSON number with the fewest digits (6 to 9) that reads back as the same float:
 * 0.9 instead of 0.8999999761581421. Not-a-number and infinities become the strings of the proto3 JSON mapping.
 */
export function float32ToJson(value: number): JsonNumber {
  if (value === 0) return 0;
  if (!Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude < 1e-3 || magnitude >= 1e7) return byPrecision(value);
  let wholeDigits = 0;
  while (magnitude >= POWERS[wholeDigits]!) wholeDigits++;
  for (let decimals = Math.max(0, 6 - wholeDigits); decimals < 12; decimals++) {
    const power = POWERS[decimals]!;
    const candidate = Math.round(value * power) / power;
    if (Math.fround(candidate) === value) return candidate;
  }
  return value;
}

/** Slow and right for every magnitude: 9 significant digits always identify a 32-bit float. */
function byPrecision(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return Number(value.toPrecision(9));
}
