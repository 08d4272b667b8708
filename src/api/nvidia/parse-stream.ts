import { Refused } from './answer.ts';
import { asString, ConversionError, eachMember, find } from './conversions.ts';
import type { Value } from './json-value.ts';

/** What a request of stream/add or stream/remove asks for. `neither`: its `change` says nothing that is known. */
export interface StreamRequest {
  readonly action: 'add' | 'remove' | 'neither';
  readonly cameraId: string;
  readonly cameraName: string;
  readonly cameraUrl: string;
}

interface Fields {
  cameraId: string;
  cameraName: string;
  cameraUrl: string;
  change: string;
}

/**
 * Reads a request of either path: what is asked stands in `value.change`. Throws Refused with NVIDIA's text where its
 * parser refuses, and with the text of its exception where its process would end.
 */
export function parseStreamRequest(body: Value): StreamRequest {
  const fields: Fields = { cameraId: '', cameraName: '', cameraUrl: '', change: '' };
  try {
    for (const [name, value] of eachMember(body)) {
      if (name === 'key') asString(value);
      if (name === 'value' || name === 'event') readSensor(value, fields);
      if (name === 'headers' && eachMember(value).length > 0) {
        readTexts(value, ['source', 'created_at']);
      }
    }
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    throw new Refused(400, `STREAM ADD/REMOVE_FAIL, error: ${error.message}`);
  }
  const { cameraId, cameraName, cameraUrl, change } = fields;
  return { action: actionOf(change), cameraId, cameraName, cameraUrl };
}

function actionOf(change: string): StreamRequest['action'] {
  if (change.includes('add') || change.includes('streaming')) return 'add';
  return change.includes('remove') ? 'remove' : 'neither';
}

function readSensor(value: Value, fields: Fields): void {
  for (const [name, member] of eachMember(value)) {
    if (name === 'metadata') {
      readTexts(member, ['resolution', 'codec', 'framerate']);
      continue;
    }
    fields.cameraId = asString(find(value, 'camera_id'));
    fields.cameraName = asString(find(value, 'camera_name'));
    fields.cameraUrl = asString(find(value, 'camera_url'));
    fields.change = asString(find(value, 'change'));
    asString(find(value, 'creation_time'));
    const failed = fields.change.includes('add') ? 'STREAM_ADD_FAIL' : 'STREAM_REMOVE_FAIL';
    if (fields.cameraUrl === '') throw new Refused(400, `${failed}, Source url empty`);
    if (fields.cameraId === '') throw new Refused(400, `${failed}, Source id empty`);
  }
}

/** Texts that are not used: one of another type is an error all the same. */
function readTexts(value: Value, names: readonly string[]): void {
  for (const name of names) asString(find(value, name));
}
