import { Environment } from '@marcbachmann/cel-js';
import { SightlineError } from '../common/errors.ts';
import type { FrameFacts, ObjectFacts } from './facts.ts';

// Expressions are CEL (https://github.com/google/cel-spec): no loops without bounds, no side effects, no access to
// anything but the variables below. They are parsed and their types checked when rules are loaded.

/** Longest expression, characters. */
export const MAX_EXPRESSION = 1000;

const OBJECT = {
  id: 'string',
  class: 'string',
  confidence: 'double',
  box: { left: 'double', top: 'double', right: 'double', bottom: 'double' },
  width: 'double',
  height: 'double',
  zones: 'list<string>',
  lines: 'list<string>',
  direction: 'string',
  stopped: 'bool',
  attributes: 'map<string, string>',
} as const;

const LIMITS = { maxAstNodes: 500, maxDepth: 40, maxListElements: 200, maxMapEntries: 100 };

const objects = new Environment({ limits: LIMITS })
  .registerVariable({ name: 'object', schema: OBJECT })
  .registerVariable('stream', 'string')
  .registerVariable('sensor', 'string')
  .registerVariable('time', 'google.protobuf.Timestamp');

const frames = new Environment({ limits: LIMITS })
  .registerType({ name: 'SeenObject', schema: OBJECT })
  .registerVariable('objects', 'list<SeenObject>')
  .registerVariable('counts', 'map<string, int>')
  .registerVariable('zones', 'map<string, int>')
  .registerVariable('stream', 'string')
  .registerVariable('sensor', 'string')
  .registerVariable('time', 'google.protobuf.Timestamp');

/** Whether an object of a frame is meant. */
export type ObjectTest = (object: ObjectFacts, frame: FrameFacts) => boolean;
/** Whether a frame, with the objects that are meant, fulfils a condition. */
export type FrameTest = (frame: FrameFacts, objects: readonly ObjectFacts[]) => boolean;

/** Told of a frame on which an expression has no value (a key that is not there): it counts as false. */
export type OnError = (reason: string) => void;

/**
 * Compiles `where`: `object` (id, class, confidence, box, width, height, zones, lines, direction, stopped, attributes),
 * `stream`, `sensor`, `time`.
 * @throws SightlineError `SL_SPEC_INVALID` when it cannot be parsed, names what there is not, or is no bool
 */
export function compileObjectTest(text: string, onError: OnError): ObjectTest {
  const evaluate = compile(objects, text, onError);
  return (object, frame) => evaluate({ object: celObject(object), ...common(frame) });
}

/**
 * Compiles the `expression` of a rule: `objects`, `counts` by class, `zones` (objects by zone), `stream`, `sensor`, `time`.
 * @throws SightlineError as `compileObjectTest`
 */
export function compileFrameTest(text: string, onError: OnError): FrameTest {
  const evaluate = compile(frames, text, onError);
  return (frame, meant) =>
    evaluate({
      objects: meant.map(celObject),
      counts: countsByClass(meant),
      zones: bigints(frame.zoneCounts),
      ...common(frame),
    });
}

function compile(
  environment: Environment,
  text: string,
  onError: OnError,
): (context: Record<string, unknown>) => boolean {
  const checked = environment.check(text);
  const reason = checked.valid
    ? checked.type === 'bool'
      ? undefined
      : `it gives ${checked.type}, not bool`
    : checked.error?.message.split('\n')[0];
  if (reason !== undefined) {
    throw new SightlineError('SL_SPEC_INVALID', `Cannot use the expression "${text}": ${reason}`);
  }
  const program = environment.parse(text);
  return (context) => {
    try {
      return program(context) === true;
    } catch (error) {
      onError(String((error as Error).message).split('\n')[0] ?? '');
      return false;
    }
  };
}

function common({ streamId, sensorId, atMs }: FrameFacts) {
  return { stream: streamId, sensor: sensorId, time: new Date(atMs) };
}

function celObject(object: ObjectFacts): object {
  const { left, top, right, bottom } = object.box;
  return { ...object, width: right - left, height: bottom - top };
}

function countsByClass(meant: readonly ObjectFacts[]): Record<string, bigint> {
  const counts: Record<string, number> = {};
  for (const object of meant) counts[object.class] = (counts[object.class] ?? 0) + 1;
  return bigints(counts);
}

/** CEL's int. */
function bigints(counts: Readonly<Record<string, number>>): Record<string, bigint> {
  return Object.fromEntries(Object.entries(counts).map(([key, value]) => [key, BigInt(value)]));
}
