/** Freezes plain objects and lists all the way down; values of a class (`Secret`) guard themselves. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  if (!plain) return value;
  for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}
