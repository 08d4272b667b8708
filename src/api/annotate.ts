import type { Json, JsonObject, LatestImage } from '../control/types.ts';

const PALETTE = [
  '#00e5a0',
  '#ffb300',
  '#40c4ff',
  '#ff6e9c',
  '#b388ff',
  '#ffd740',
  '#69f0ae',
  '#ff8a65',
];

function escapeXml(text: string): string {
  return text.replace(/[^\x20-\x7e]|[<>&"']/gu, (character) => `&#${character.codePointAt(0)};`);
}

function numberAt(object: JsonObject, key: string): number {
  const value = object[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function drawObject(object: JsonObject): string {
  const bbox = isObject(object['bbox']) ? object['bbox'] : {};
  const left = numberAt(bbox, 'leftX');
  const top = numberAt(bbox, 'topY');
  const width = Math.max(0, numberAt(bbox, 'rightX') - left);
  const height = Math.max(0, numberAt(bbox, 'bottomY') - top);
  const id = typeof object['id'] === 'string' ? object['id'] : '';
  const label = typeof object['type'] === 'string' ? object['type'] : '';
  const colour =
    PALETTE[Number(BigInt.asUintN(32, BigInt(/^\d{1,20}$/.test(id) ? id : 0))) % PALETTE.length];
  const score = numberAt(object, 'confidence');
  const caption = [label, id === '' ? '' : `#${id}`, score > 0 ? `${Math.round(score * 100)}%` : '']
    .filter((part) => part !== '')
    .join(' ');
  const box = `x="${left.toFixed(1)}" y="${top.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}"`;
  return (
    `<rect ${box} fill="none" stroke="${colour}" stroke-width="2"/>` +
    `<text x="${(left + 2).toFixed(1)}" y="${Math.max(12, top - 4).toFixed(1)}" fill="${colour}">${escapeXml(caption)}</text>`
  );
}

/**
 * The picture with its objects drawn over it, as one SVG (boxes in pixels of the picture, whose JPEG is embedded). The
 * boxes are those of the very frame in the picture; without that frame's metadata the picture comes bare.
 */
export function annotate(image: LatestImage): string {
  const { width, height } = image;
  const frame = image.frame;
  const objects = Array.isArray(frame?.['objects']) ? (frame['objects'] as readonly Json[]) : [];
  const jpeg = Buffer.from(image.data.buffer, image.data.byteOffset, image.data.byteLength);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">` +
    `<image width="${width}" height="${height}" href="data:${escapeXml(image.contentType)};base64,${jpeg.toString('base64')}"/>` +
    '<g font-family="sans-serif" font-size="13" font-weight="600" paint-order="stroke" stroke="#000" stroke-width="0">' +
    objects.filter(isObject).map(drawObject).join('') +
    '</g></svg>'
  );
}
