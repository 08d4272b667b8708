type JsonLike = { readonly [key: string]: unknown };

/** JSON Merge Patch (RFC 7396) on an object: null takes a key away. Neither side is changed. */
export function mergePatch<T extends JsonLike>(target: T, patch: JsonLike): T {
  const result = new Map<string, unknown>(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      result.delete(key);
    } else if (isObject(value)) {
      const now = result.get(key);
      result.set(key, mergePatch(isObject(now) ? now : {}, value));
    } else {
      result.set(key, value);
    }
  }
  // fromEntries defines own properties, so a key such as __proto__ stays a plain key.
  return Object.fromEntries(result) as T;
}

function isObject(value: unknown): value is JsonLike {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
