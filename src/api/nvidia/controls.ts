import type { LiveCommand } from '../../control/types.ts';
import type { ControlRequest, ControlShape } from './parse-control.ts';

/** A control endpoint: how its body is read, what it does here, and what NVIDIA's server says when it cannot be done. */
export interface Control extends ControlShape {
  /** Of a stream that is not known. */
  readonly unknownStream: string;
  /** Of a stream whose pipeline has nothing that could do it. */
  readonly notDone: string;
  /** Absent: nothing of ours does it. */
  readonly command?: (value: ControlRequest['value']) => LiveCommand;
}

const range = (least: number, most: number) => (value: ControlRequest['value']) =>
  Number(value) >= least && Number(value) <= most;
const notEmpty = (value: ControlRequest['value']) => value !== '';
const wrong = (field: string, more: string) => `${field} value not parsed correctly, ${more}`;

/** A setting of one stream's decoder or converter: unknown stream and missing property read the same. */
function element(shape: ControlShape, failure: string): Control {
  const text = `${shape.name}_UPDATE_FAIL, ${failure}`;
  return { ...shape, unknownStream: text, notDone: text };
}

/** A setting that travels down the pipeline as an event. */
function event(shape: ControlShape, unknown: string, name: string): Control {
  const failed = `${shape.name}_UPDATE_FAIL`;
  return {
    ...shape,
    unknownStream: `${failed}, ${unknown}`,
    notDone: `${failed}, ${name} event not pushed`,
  };
}

function encoder(shape: ControlShape, name: string): Control {
  return event(shape, 'Not able to find source id', name);
}

const DROP: ControlShape = {
  name: 'DROP_FRAME_INTERVAL',
  field: 'drop_frame_interval',
  type: 'uint',
  allowed: range(0, 30),
  outOfRange: `DROP_FRAME_INTERVAL_UPDATE_FAIL, ${wrong('drop_frame_interval', 'Range: 0 - 30')}`,
};
const SKIP: ControlShape = {
  name: 'SKIP_FRAMES',
  field: 'skip_frames',
  type: 'uint',
  allowed: range(0, 2),
  outOfRange: `SKIP_FRAMES_UPDATE_FAIL, ${wrong('skip_frames', 'Range: 0-2')}`,
};
// Both texts of the intervals end with a blank.
const INFER: ControlShape = {
  name: 'INFER_INTERVAL',
  field: 'interval',
  type: 'uint',
  allowed: range(0, 32),
  outOfRange: `INFER_INTERVAL_UPDATE_FAIL, ${wrong('interval', 'Unsigned Integer. Range: 0 - 32 ')}`,
};
const INFERSERVER: ControlShape = {
  name: 'INFERSERVER_INTERVAL',
  field: 'interval',
  type: 'uint',
  allowed: range(0, 2_147_483_647),
  outOfRange: `INFERSERVER_INTERVAL_UPDATE_FAIL, ${wrong('interval', 'Unsigned Integer. Range: 0 - 2147483647 ')}`,
};
// The text names another range than the one that is checked.
const IFRAME: ControlShape = {
  name: 'IFRAME_INTERVAL',
  field: 'iframeinterval',
  type: 'uint',
  allowed: range(0, 256),
  outOfRange: `IFRAME_INTERVAL_UPDATE_FAIL, ${wrong('iframeinterval', 'Unsigned Integer Range: 0 - 4294967295')}`,
};
const PUSH_TIMEOUT: ControlShape = {
  name: 'BATCHED_PUSH_TIMEOUT',
  field: 'batched_push_timeout',
  type: 'int',
  stream: 'none',
  allowed: range(-1, 2_147_483_647),
  outOfRange: `BATCHED_PUSH_TIMEOUT_UPDATE_FAIL, ${wrong('batched_push_timeout', ' Range: -1 - 2147483647')}`,
};

const CROP = 'Use string with values of crop location to set the property. e.g. 20:20:40:50';
const crop = (name: string, field: string, hint: string): ControlShape => ({
  ...{ name, field, type: 'text', stream: 'needed' },
  allowed: notEmpty,
  outOfRange: wrong(field, hint),
});
const method = (name: string, field: string, most: number): ControlShape => ({
  ...{ name, field, type: 'uint', stream: 'needed' },
  allowed: range(0, most),
  outOfRange: wrong(field, `Enum value range 0-${most}`),
});

/** Every control endpoint with one value, by path. */
export const CONTROLS: Readonly<Record<string, Control>> = {
  '/api/v1/dec/drop-frame-interval': {
    ...element(DROP, 'drop-frame-interval not set on decoder'),
    command: (value) => ({ kind: 'drop-frame-interval', interval: Number(value) }),
  },
  '/api/v1/dec/skip-frames': {
    ...element(SKIP, 'skip-frame not set on decoder'),
    command: (value) => ({ kind: 'skip-frames', mode: Number(value) as 0 | 1 | 2 }),
  },
  '/api/v1/dec/low-latency-mode': element(
    { name: 'LOW_LATENCY_MODE', field: 'low_latency_mode', type: 'bool' },
    'low-latency-mode not set on decoder',
  ),
  '/api/v1/infer/set-interval': {
    ...event(
      INFER,
      'Unable to find stream id for infer property updation',
      'nv-infer-interval-update',
    ),
    command: (value) => ({ kind: 'infer-interval', interval: Number(value) }),
  },
  '/api/v1/inferserver/set-interval': event(
    INFERSERVER,
    'Unable to find stream id for infer (inferserver) property updation',
    'nv-infer-interval-update',
  ),
  '/api/v1/nvtracker/config-path': event(
    { name: 'NVTRACKER_CONFIG', field: 'config_path', type: 'text' },
    'Unable to find stream id for nvTracker property updation',
    'nv-tracker-config-update',
  ),
  '/api/v1/enc/bitrate': encoder(
    { name: 'BITRATE', field: 'bitrate', type: 'uint' },
    'nv-enc-bitrate-update',
  ),
  '/api/v1/enc/force-idr': encoder(
    { name: 'FORCE_IDR', field: 'force_idr', type: 'bool' },
    'nv-enc-force-idr',
  ),
  '/api/v1/enc/force-intra': encoder(
    { name: 'FORCE_INTRA', field: 'force_intra', type: 'bool' },
    'nv-enc-force-intra',
  ),
  '/api/v1/enc/iframe-interval': encoder(IFRAME, 'nv-enc-iframeinterval-update'),
  // One text has two blanks behind the comma, the other one.
  '/api/v1/conv/srccrop': element(
    crop('SRC_CROP', 'src_crop', ` ${CROP}`),
    'source-crop update failed',
  ),
  '/api/v1/conv/destcrop': element(crop('DEST_CROP', 'dest_crop', CROP), 'dest-crop update failed'),
  '/api/v1/conv/flip-method': element(
    method('FLIP_METHOD', 'flip_method', 7),
    'flip-method update failed',
  ),
  '/api/v1/conv/interpolation-method': element(
    method('INTERPOLATION_METHOD', 'interpolation_method', 6),
    'interpolation-method update failed',
  ),
  '/api/v1/mux/batched-push-timeout': element(
    PUSH_TIMEOUT,
    'batched-push-timeout value not updated',
  ),
  '/api/v1/mux/max-latency': element(
    { name: 'MAX_LATENCY', field: 'max_latency', type: 'uint', stream: 'none' },
    'MAX_LATENCY_UPDATE_FAIL, max-latency value not updated',
  ),
  '/api/v1/osd/process-mode': event(
    { name: 'PROCESS_MODE', field: 'process_mode', type: 'int' },
    'Unable to find stream id for osd property updation',
    'nv-osd-process-mode-update',
  ),
};
