/**
 * Reads what `gst-inspect-1.0 FACTORY` prints (GStreamer 1.20 to 1.26) into the catalogue's shape. The layout is the
 * only interface GStreamer has for it without its own development files.
 */
import { parsePads } from './inspect-pads.mjs';
import { parseProperties } from './inspect-properties.mjs';
import { parseSignals } from './inspect-signals.mjs';

/** Headings of the parts that are read; everything else is skipped. */
const SECTIONS = new Set([
  'Factory Details:',
  'Plugin Details:',
  'Pad Templates:',
  'Element Properties:',
  'Element Signals:',
  'Element Actions:',
]);

/**
 * @param {string} text what gst-inspect-1.0 printed for one factory
 * @returns {{plugin: string, properties: object, pads: object[], signals: object}}
 * @throws Error where the text is not such an output.
 */
export function parseInspect(text) {
  const sections = splitSections(text);
  if (!sections.has('Factory Details:')) {
    throw new Error('The text is not the output of gst-inspect-1.0 for one element');
  }
  return {
    plugin: /^\s+Name\s+(\S+)/m.exec((sections.get('Plugin Details:') ?? []).join('\n'))?.[1] ?? '',
    properties: parseProperties(sections.get('Element Properties:') ?? []),
    pads: parsePads(sections.get('Pad Templates:') ?? []),
    signals: {
      ...parseSignals(sections.get('Element Signals:') ?? [], 'signal'),
      ...parseSignals(sections.get('Element Actions:') ?? [], 'action'),
    },
  };
}

/** The lines below each heading: a heading starts in the first column. */
function splitSections(text) {
  const sections = new Map();
  let lines;
  for (const line of text.split('\n')) {
    if (/^\S/.test(line)) {
      lines = undefined;
      if (SECTIONS.has(line.trimEnd())) {
        lines = [];
        sections.set(line.trimEnd(), lines);
      }
    } else {
      lines?.push(line);
    }
  }
  return sections;
}
