/** What a machine cannot tell; kept from the entry before. */
const KEPT = ['factory', 'required', 'flow', 'variants', 'notes'];

/**
 * An entry with what a machine of `family` says of the element. NVIDIA's elements differ between the two families, so
 * what only the other family has stays; any other element is the same everywhere.
 *
 * @param {object | undefined} before the entry so far
 * @param {object} found from `parseInspect`
 * @param {{from: string, family?: 'dgpu' | 'jetson'}} machine no family: a machine without an NVIDIA GPU
 */
export function mergeEntry(before, found, { from, family }) {
  const kept = Object.fromEntries(KEPT.filter((key) => before?.[key]).map((k) => [k, before[k]]));
  const split = family !== undefined && before !== undefined;
  return {
    from: split && !before.from.startsWith('gst-inspect') ? `${from}; ${before.from}` : from,
    // One family says nothing of what the other has beyond what is known.
    complete: split ? before.complete : true,
    plugin: found.plugin,
    ...kept,
    properties: split
      ? mergeProperties(before, found.properties, family)
      : keepNotes(before?.properties ?? {}, found.properties),
    pads: split ? mergePads(before.pads, found.pads, family) : found.pads,
    signals: found.signals,
  };
}

/** What this machine says, and what only a newer GStreamer has. */
function keepNotes(before, found) {
  const newer = Object.entries(before).filter(([name, { since }]) => since && !(name in found));
  return {
    ...mapEntries(found, (name, property) => withNote(property, before[name])),
    ...Object.fromEntries(newer),
  };
}

function withNote(property, before) {
  return before?.note === undefined ? property : { ...property, note: before.note };
}

function mergeProperties({ properties: before, complete }, found, family) {
  const other = family === 'dgpu' ? 'jetson' : 'dgpu';
  const mine = mapEntries(found, (name, property) => {
    const known = before[name];
    // New to an entry that knew everything: only this family can have it.
    const only = known === undefined ? complete : known.on === family;
    return withNote(only ? { ...property, on: family } : property, known);
  });
  const gone = Object.entries(before).filter(([name, { on }]) => !(name in found) && on !== family);
  return {
    ...mine,
    ...Object.fromEntries(gone.map(([name, property]) => [name, { ...property, on: other }])),
  };
}

/** Caps of both families side by side where they differ. */
function mergePads(before, found, family) {
  const other = family === 'dgpu' ? 'jetson' : 'dgpu';
  return found.map((pad) => {
    const known = before.find(({ name }) => name === pad.name)?.caps;
    if (known === undefined) return pad;
    const theirs = typeof known === 'string' ? known : known[other];
    return theirs === pad.caps ? pad : { ...pad, caps: { [other]: theirs, [family]: pad.caps } };
  });
}

function mapEntries(object, change) {
  return Object.fromEntries(Object.entries(object).map(([name, it]) => [name, change(name, it)]));
}
