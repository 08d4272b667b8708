import type { sightline } from '../../gen/frame.js';
import { decodeFrame } from '../../metadata/frame.ts';
import { timestampToMs } from '../../metadata/timestamp.ts';
import { FieldReader, UNUSUAL } from './field-reader.ts';

// Field numbers of proto/sightline/v1/frame.proto.
const FRAME_ID = 2;
const FRAME_TIMESTAMP = 3;
const FRAME_SENSOR_ID = 4;
const FRAME_OBJECTS = 5;
const OBJECT_ID = 1;
const OBJECT_BBOX = 2;
const OBJECT_TYPE = 3;
const OBJECT_CLASSIFICATIONS = 102;

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
  try {
    return JSON.stringify(readFast(bytes));
  } catch (error) {
    if (error !== UNUSUAL) throw error;
    return JSON.stringify(readWhole(bytes));
  }
}

/** In the order of the schema. */
function message(id: string, ms: number, sensorId: string, objects: readonly string[]): object {
  return { version: '4.0', id, '@timestamp': new Date(ms).toISOString(), sensorId, objects };
}

function readWhole(bytes: Uint8Array): object {
  const { id, timestamp, sensorId, objects } = decodeFrame(bytes);
  return message(id, timestamp ? timestampToMs(timestamp) : 0, sensorId, objects.map(objectText));
}

function objectText(object: sightline.v1.Object.$Properties): string {
  const { leftX, topY, rightX, bottomY } = object.bbox ?? {};
  const corners = [leftX, topY, rightX, bottomY].map((corner) => sixDigits(corner ?? 0));
  const parts = [object.id || UNTRACKED, ...corners, label(object.type)];
  const labels = (object.classifications ?? []).map((item) => label(item.label));
  if (labels.length > 0) parts.push('#', ...labels, sixDigits(object.confidence ?? 0));
  return parts.join(SEPARATOR);
}

/** Straight from the wire, for frames whose objects have no classifiers: nearly all. */
function readFast(bytes: Uint8Array): object {
  const reader = new FieldReader(bytes);
  const objects: string[] = [];
  let [id, sensorId, ms] = ['', '', 0];
  while (reader.at < bytes.byteLength) {
    const field = reader.next();
    if (field === FRAME_OBJECTS) objects.push(fastObject(reader));
    else if (field === FRAME_ID) id = reader.text();
    else if (field === FRAME_SENSOR_ID) sensorId = reader.text();
    else if (field === FRAME_TIMESTAMP) ms = timestampMs(reader);
    else reader.skip();
  }
  return message(id, ms, sensorId, objects);
}

function timestampMs(reader: FieldReader): number {
  const end = reader.enter();
  let ms = 0;
  while (reader.at < end) {
    if (reader.next() === 1) ms += reader.uint31() * 1000;
    else ms += Math.floor(reader.uint31() / 1e6);
  }
  return ms;
}

const corners = new Float64Array(4);

function fastObject(reader: FieldReader): string {
  const end = reader.enter();
  let [id, type] = ['', ''];
  corners.fill(0);
  while (reader.at < end) {
    const field = reader.next();
    if (field === OBJECT_ID) id = reader.text();
    else if (field === OBJECT_TYPE) type = reader.text();
    else if (field === OBJECT_BBOX) readCorners(reader);
    else if (field === OBJECT_CLASSIFICATIONS) throw UNUSUAL;
    else reader.skip();
  }
  const [leftX = 0, topY = 0, rightX = 0, bottomY = 0] = corners;
  const box = `${sixDigits(leftX)}|${sixDigits(topY)}|${sixDigits(rightX)}|${sixDigits(bottomY)}`;
  return `${id || UNTRACKED}|${box}|${label(type)}`;
}

function readCorners(reader: FieldReader): void {
  const end = reader.enter();
  while (reader.at < end) {
    const field = reader.next();
    if (field < 1 || field > 4) throw UNUSUAL;
    corners[field - 1] = reader.float();
  }
}

/** The separator cannot be escaped: a label that has it would shift what follows. */
function label(text: string | null | undefined): string {
  return (text ?? '').replaceAll(SEPARATOR, '/');
}

const POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7];

/**
 * A 32-bit float as C's `%g` prints it: six significant digits without trailing zeros, an exponent from 1e+06 and below
 * 1e-04. Halves go to the even digit, as in glibc.
 */
export function sixDigits(value: number): string {
  const magnitude = Math.abs(value);
  if (!(magnitude >= 0.01 && magnitude < 999_999)) return rareDigits(value);
  let whole = magnitude >= 1 ? 1 : magnitude >= 0.1 ? 0 : -1;
  while (whole > 0 && magnitude >= POWERS[whole]!) whole++;
  const power = POWERS[6 - whole]!;
  // Exact: a 32-bit float has 24 bits, the power at most another 17 beside its twos.
  const scaled = magnitude * power;
  const below = Math.floor(scaled);
  const over = scaled - below;
  const isUp = over > 0.5 || (over === 0.5 && below % 2 === 1);
  const rounded = (isUp ? below + 1 : below) / power;
  return String(value < 0 ? -rounded : rounded);
}

function rareDigits(value: number): string {
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
