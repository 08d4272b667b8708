import { createHash } from 'node:crypto';
import type { Finding } from './conditions/condition.ts';
import type { FrameFacts, ObjectFacts } from './facts.ts';
import type { RuleSpec } from './spec.ts';

const MAX_OBJECTS = 50;
const ID_LENGTH = 26;

/** An object as an event shows it. */
export interface EventObject {
  readonly id: string;
  readonly class: string;
  /** 0 to 1. */
  readonly confidence: number;
  /** Pixels of the source frame. */
  readonly bbox: {
    readonly leftX: number;
    readonly topY: number;
    readonly rightX: number;
    readonly bottomY: number;
  };
}

/** An interesting event: what a rule found, with what proves it. Times are RFC 3339, UTC, by the camera's clock. */
export interface RuleEvent {
  /** Made of what was found: the same frames give the same id again. */
  readonly id: string;
  readonly type: 'rule.fired' | 'rule.started' | 'rule.ended';
  readonly time: string;
  readonly rule: string;
  readonly kind: RuleSpec['kind'];
  readonly severity: 'info' | 'warning' | 'critical';
  readonly description?: string;
  readonly streamId: string;
  readonly sensorId: string;
  /** Of the stream's owner in a fleet whose frames it was found on; absent without one. */
  readonly epoch?: number;
  /** When it began; of `rule.ended`, too. */
  readonly since: string;
  readonly durationMs: number;
  /** Id of the `rule.started` that this one ends. */
  readonly startedBy?: string;
  /** Objects or crossings. */
  readonly count?: number;
  /** At most 50. */
  readonly objects: readonly EventObject[];
  readonly details?: Readonly<Record<string, string>>;
  readonly model?: { readonly name: string; readonly version: string };
  /** The frame it was found on; absent where there was none. */
  readonly frame?: {
    readonly recordId: string;
    readonly session: string;
    readonly sequence: number;
    readonly width: number;
    readonly height: number;
  };
  readonly evidence: {
    /** Key of the picture of the frame, or of the last one before it. */
    readonly imageRef?: string;
    /** What of the recording belongs to it. */
    readonly clip: { readonly from: string; readonly to: string };
  };
}

export interface Circumstances {
  readonly spec: RuleSpec;
  readonly finding: Finding;
  readonly frame: FrameFacts;
  readonly tMs: number;
  readonly imageRef: string | undefined;
  readonly startedBy: string | undefined;
}

const TYPES = { instant: 'rule.fired', started: 'rule.started', ended: 'rule.ended' } as const;

/** The event of a finding. */
export function ruleEvent(circumstances: Circumstances): RuleEvent {
  const { spec, finding, frame, tMs, imageRef, startedBy } = circumstances;
  const { count, details, objects } = finding;
  const durationMs = Math.max(0, Math.round(tMs - finding.sinceMs));
  const { atMs, streamId, sensorId, model, recordId, session, sequence, width, height } = frame;
  const { clipBeforeMs, clipAfterMs } = spec.evidence;
  const clip = { from: iso(atMs - clipBeforeMs), to: iso(atMs + clipAfterMs) };
  return {
    id: eventId(spec.id, recordId, finding.phase, finding.key),
    type: TYPES[finding.phase],
    time: iso(atMs),
    ...{ rule: spec.id, kind: spec.kind, severity: spec.severity },
    ...(spec.description === undefined ? {} : { description: spec.description }),
    ...{ streamId, sensorId, ...ownedBy(frame.epoch), since: iso(atMs - durationMs), durationMs },
    ...(startedBy === undefined ? {} : { startedBy }),
    ...(count === undefined ? {} : { count }),
    objects: objects.slice(0, MAX_OBJECTS).map(eventObject),
    ...(details === undefined ? {} : { details }),
    ...(model === undefined ? {} : { model }),
    frame: { recordId, session, sequence, width, height },
    evidence: { ...(imageRef === undefined ? {} : { imageRef }), clip },
  };
}

export interface OfflineCircumstances {
  readonly spec: Extract<RuleSpec, { readonly kind: 'camera-offline' }>;
  readonly streamId: string;
  readonly phase: 'started' | 'ended';
  /** Wall clock, ms. */
  readonly nowMs: number;
  /** Without a frame for so long. */
  readonly silentMs: number;
  /** Of the last frame before; empty when there was none. */
  readonly lastRecordId: string;
  /** Of the last frame; 0 when there was none, or no fleet. */
  readonly epoch: number;
  readonly startedBy: string | undefined;
}

/** The event of a camera that has no frames, or has some again. */
export function offlineEvent(circumstances: OfflineCircumstances): RuleEvent {
  const { spec, streamId, phase, nowMs, lastRecordId, epoch, startedBy } = circumstances;
  const { clipBeforeMs, clipAfterMs } = spec.evidence;
  const durationMs = Math.round(circumstances.silentMs);
  const sinceMs = nowMs - durationMs;
  // What it looked like before.
  const clip = { from: iso(sinceMs - clipBeforeMs), to: iso(sinceMs + clipAfterMs) };
  const key = lastRecordId === '' ? iso(sinceMs) : lastRecordId;
  return {
    id: eventId(spec.id, `${streamId}/${key}`, phase, ''),
    type: TYPES[phase],
    time: iso(nowMs),
    ...{ rule: spec.id, kind: spec.kind, severity: spec.severity },
    ...(spec.description === undefined ? {} : { description: spec.description }),
    ...{ streamId, sensorId: streamId, ...ownedBy(epoch), since: iso(sinceMs), durationMs },
    ...(startedBy === undefined ? {} : { startedBy }),
    objects: [],
    evidence: { clip },
  };
}

function ownedBy(epoch: number): { readonly epoch?: number } {
  return epoch === 0 ? {} : { epoch };
}

function eventId(...parts: readonly string[]): string {
  const hash = createHash('sha256').update(parts.join('\n')).digest('hex');
  return hash.slice(0, ID_LENGTH);
}

function eventObject({ id, class: label, confidence, box }: ObjectFacts): EventObject {
  const bbox = { leftX: box.left, topY: box.top, rightX: box.right, bottomY: box.bottom };
  return { id, class: label, confidence, bbox };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
