// Makes C++ rows of the catalogue of DeepStream's elements: node make-table.mjs CATALOGUE.json TABLE.inc
import { readFileSync, writeFileSync } from 'node:fs';

const [catalogueFile, tableFile] = process.argv.slice(2);
const { elements } = JSON.parse(readFileSync(catalogueFile, 'utf8'));

const text = (value) =>
  value === undefined || value === null ? 'nullptr' : JSON.stringify(String(value));
const capsOf = (caps, family) => (typeof caps === 'string' ? caps : (caps[family] ?? ''));

const lines = ['// Made from the catalogue of DeepStream elements.'];
const rows = [];
for (const [name, element] of Object.entries(elements)) {
  if (!name.startsWith('nv')) continue;
  const id = name.replaceAll('-', '_');
  const properties = Object.entries(element.properties).map(([property, facts], index) => {
    let values = 'nullptr';
    if (facts.values !== undefined) {
      values = `kValues_${id}_${index}`;
      const entries = Object.entries(facts.values).map(([nick, value]) => `{${value}, ${text(nick)}, ${text(nick)}}`);
      lines.push(`const GEnumValue ${values}[] = {${[...entries, '{0, nullptr, nullptr}'].join(', ')}};`);
    }
    const { type, access = 'rw', on } = facts;
    return `{${[property, type, access, on].map(text).join(', ')}, ${text(facts.default)}, ${text(facts.min)}, ${text(facts.max)}, ${values}}`;
  });
  if (properties.length > 0) {
    lines.push(`const PropertyRow kProperties_${id}[] = {\n  ${properties.join(',\n  ')}};`);
  }
  const pads = element.pads.map(
    (pad) =>
      `{${[pad.name, pad.direction, pad.presence].map(text).join(', ')}, ${text(capsOf(pad.caps, 'dgpu'))}, ${text(capsOf(pad.caps, 'jetson'))}}`,
  );
  if (pads.length > 0) lines.push(`const PadRow kPads_${id}[] = {\n  ${pads.join(',\n  ')}};`);
  const list = (kind, count) => (count === 0 ? 'nullptr, 0' : `k${kind}_${id}, ${count}`);
  rows.push(`{${text(name)}, ${list('Properties', properties.length)}, ${list('Pads', pads.length)}}`);
}
lines.push(`const ElementRow kElements[] = {\n  ${rows.join(',\n  ')}};`, '');
writeFileSync(tableFile, lines.join('\n'));
