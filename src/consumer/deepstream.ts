/** A frame of NVIDIA's minimal schema with its texts taken apart. */
export interface DeepStreamFrame {
  readonly id: string;
  /** RFC 3339, milliseconds. */
  readonly timestamp: string;
  readonly sensorId: string;
  readonly objects: readonly DeepStreamObject[];
}

export interface DeepStreamObject {
  /** Empty when it is not tracked. */
  readonly id: string;
  readonly leftX: number;
  readonly topY: number;
  readonly rightX: number;
  readonly bottomY: number;
  readonly type: string;
  /** Labels of secondary classifiers. */
  readonly labels: readonly string[];
  /** Only where classifiers spoke. */
  readonly confidence?: number;
}

const UNTRACKED = '18446744073709551615';

export function isDeepStream(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '@timestamp' in value;
}

/** @throws TypeError when it is no such frame */
export function readDeepStream(value: unknown): DeepStreamFrame {
  const { id, sensorId, objects, ...rest } = value as Record<string, unknown>;
  if (!Array.isArray(objects)) throw new TypeError('a DeepStream frame without objects');
  return {
    id: String(id),
    timestamp: String(rest['@timestamp']),
    sensorId: String(sensorId),
    objects: objects.map(readObject),
  };
}

function readObject(text: unknown): DeepStreamObject {
  if (typeof text !== 'string') throw new TypeError('a DeepStream object that is no text');
  const [id = '', leftX, topY, rightX, bottomY, type = '', mark, ...more] = text.split('|');
  const object = {
    id: id === UNTRACKED ? '' : id,
    leftX: Number(leftX),
    topY: Number(topY),
    rightX: Number(rightX),
    bottomY: Number(bottomY),
    type,
  };
  if (mark !== '#') return { ...object, labels: [] };
  return { ...object, labels: more.slice(0, -1), confidence: Number(more.at(-1)) };
}
