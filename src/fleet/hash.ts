/** 32 bits of FNV-1a (Fowler, Noll, Vo) over the UTF-16 units of a text: spreads names evenly, the same everywhere. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
