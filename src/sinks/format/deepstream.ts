import type { sightline } from '../../gen/frame.js';
import { decodeFrame } from '../../metadata/frame.ts';
import { timestampToMs } from '../../metadata/timestamp.ts';

/** What NVIDIA writes for an object without a track: the greatest 64-bit number. */
const UNTRACKED = '18446744073709551615';
const SEPARATOR = '|';

/**
 * A frame in the minimal schema of NVIDIA's nvmsgconv (DeepStream 9.1, payload type 1, `msg2p-newapi`): members, order and
 * types are those of `generate_dsmeta_message_minimal`, without its line breaks. An object is one text:
 * `id|left|top|right|bottom|label`, then, where classifiers spoke, `|#|label of each|confidence`. Numbers have six
 * significant digits, as a C++ stream writes them. `@timestamp` is the capture time, in milliseconds.
 * @throws SightlineError `SL_INTERNAL` for bytes that are no frame
 */
export function deepStreamJson(bytes: Uint8Array): string {
  const frame = decodeFrame(bytes);
  const ms = frame.timestamp ? timestampToMs(frame.timestamp) : 0;
  return JSON.stringify({
    version: '4.0',
    id: frame.id,
    '@timestamp': new Date(ms).toISOString(),
    sensorId: frame.sensorId,
    objects: frame.objects.map(objectText),
  });
}

function objectText(object: sightline.v1.Object.$Properties): string {
  const { leftX, topY, rightX, bottomY } = object.bbox ?? {};
  const corners = [leftX, topY, rightX, bottomY].map((corner) => sixDigits(corner ?? 0));
  const parts = [object.id || UNTRACKED, ...corners, label(object.type)];
  const labels = (object.classifications ?? []).map((item) => label(item.label));
  if (labels.length > 0) parts.push('#', ...labels, sixDigits(object.confidence ?? 0));
  return parts.join(SEPARATOR);
}

/** The separator cannot be escaped: a label that has it would shift what follows. */
function label(text: string | null | undefined): string {
  return (text ?? '').replaceAll(SEPARATOR, '/');
}

/** As `%g` prints: six significant digits without trailing zeros, an exponent from 1e+06 and below 1e-04. */
export function sixDigits(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [digits = '', power = '0'] = value.toExponential(5).split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return withoutZeros(value.toFixed(5 - exponent));
  const sign = exponent < 0 ? '-' : '+';
  return `${withoutZeros(digits)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function withoutZeros(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
}
