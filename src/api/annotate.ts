import type { LatestImage } from '../control/types.ts';
import type { ObjectJson } from '../metadata/frame.ts';

const PALETTE = [
  '#00e5a0',
  '#ffb300',
  '#40c4ff',
  '#ff6e9c',
  '#b388ff',
  '#ffd740',
  '#69f0ae',
  '#ff8a65',
] as const;

function escapeXml(text: string): string {
  return text.replace(/[^\x20-\x7e]|[<>&"']/gu, (character) => `&#${character.codePointAt(0)};`);
}

/** A track keeps its colour: the same id gives the same one. */
function colourOf(id: string): string {
  const last = /\d{1,6}$/.exec(id)?.[0] ?? '0';
  return PALETTE[Number(last) % PALETTE.length]!;
}

function caption({ type, id, confidence }: ObjectJson): string {
  const score = Number(confidence);
  const parts = [type, id === '' ? '' : `#${id}`, score > 0 ? `${Math.round(score * 100)}%` : ''];
  return escapeXml(parts.filter((part) => part !== '').join(' '));
}

function drawObject(object: ObjectJson): string {
  if (object.bbox === undefined) return '';
  const [left, top, right, bottom] = [
    object.bbox.leftX,
    object.bbox.topY,
    object.bbox.rightX,
    object.bbox.bottomY,
  ].map(Number) as [number, number, number, number];
  if (![left, top, right, bottom].every(Number.isFinite)) return '';
  const colour = colourOf(object.id);
  const size = `width="${Math.max(0, right - left).toFixed(1)}" height="${Math.max(0, bottom - top).toFixed(1)}"`;
  return (
    `<rect x="${left.toFixed(1)}" y="${top.toFixed(1)}" ${size} fill="none" stroke="${colour}" stroke-width="2"/>` +
    `<text x="${(left + 2).toFixed(1)}" y="${Math.max(12, top - 4).toFixed(1)}" fill="${colour}" stroke="#000" stroke-width="3" paint-order="stroke">${caption(object)}</text>`
  );
}

/**
 * The picture with its objects drawn over it, as one SVG (boxes in pixels of the picture, whose JPEG is embedded). The
 * boxes are those of the very frame in the picture; without that frame's metadata the picture comes bare.
 */
export function annotate(image: LatestImage): string {
  const { width, height, data } = image;
  const jpeg = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">` +
    `<image width="${width}" height="${height}" href="data:${escapeXml(image.contentType)};base64,${jpeg}"/>` +
    '<g font-family="sans-serif" font-size="12">' +
    (image.frame?.objects ?? []).map(drawObject).join('') +
    '</g></svg>'
  );
}
