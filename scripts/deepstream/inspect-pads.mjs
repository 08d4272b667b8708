const PRESENCE = { Always: 'always', Sometimes: 'sometimes', 'On request': 'request' };

/**
 * Pad templates, in the order of the text.
 *
 * @param {string[]} lines below "Pad Templates:"
 * @returns {{name: string, direction: 'sink' | 'src', presence: string, caps: string}[]}
 */
export function parsePads(lines) {
  const pads = [];
  let capsLines;
  const finish = () => {
    const pad = pads.at(-1);
    if (pad !== undefined && capsLines !== undefined) pad.caps = capsText(capsLines);
    capsLines = undefined;
  };
  for (const line of lines) {
    const start = /^ {2}(SINK|SRC) template: '([^']+)'/.exec(line);
    if (start) {
      finish();
      pads.push({ name: start[2], direction: start[1] === 'SINK' ? 'sink' : 'src' });
      continue;
    }
    const availability = /^ {4}Availability: (.+?)\s*$/.exec(line);
    if (availability) pads.at(-1).presence = PRESENCE[availability[1]] ?? 'always';
    else if (/^ {4}Capabilities:/.test(line)) capsLines = [];
    // The properties of a template's pads follow in the same section.
    else if (/^ {4}\S/.test(line)) finish();
    else if (capsLines !== undefined && line.trim() !== '') capsLines.push(line);
  }
  finish();
  return pads;
}

/** A printed caps block as one caps string: `video/x-raw(memory:NVMM), format={ NV12, RGBA }; ...`. */
export function capsText(lines) {
  const structures = [];
  for (const line of lines) {
    const field = /^\s{7,}([\w-]+): (.*)$/.exec(line);
    if (field) structures.at(-1)?.push(`${field[1]}=${value(field[2])}`);
    else structures.push([line.trim()]);
  }
  const [first] = structures;
  if (first === undefined) return 'EMPTY';
  return structures.map((parts) => parts.join(', ')).join('; ');
}

/** Types are dropped: a value's form says what it is. */
function value(text) {
  return text
    .trim()
    .replaceAll(/\((?:string|int|fraction|boolean|gboolean|double|float|bitmask)\)/g, '')
    .replaceAll(/([[{]) /g, '$1')
    .replaceAll(/ ([\]}])/g, '$1')
    .replaceAll(/, /g, ',');
}
