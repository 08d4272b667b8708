import { checkValue } from '../../src/common/check.ts';
import { RuleEngine } from '../../src/rules/engine.ts';
import type { RuleEvent } from '../../src/rules/event.ts';
import { type FrameFacts, frameFacts } from '../../src/rules/facts.ts';
import { RuleSpec } from '../../src/rules/spec.ts';

const WIDTH = 1000;
const HEIGHT = 1000;

export interface SceneObject {
  readonly id?: string;
  readonly class?: string;
  readonly confidence?: number;
  /** Where it stands, as shares of the frame. */
  readonly at?: readonly [number, number];
  readonly zones?: readonly string[];
  readonly lines?: readonly string[];
  readonly attributes?: Readonly<Record<string, string>>;
  /** Width and height, as shares. Default 0.1, 0.2. */
  readonly size?: readonly [number, number];
}

/** Rules over a scene that is played frame by frame, ten a second. */
export class Stage {
  readonly engine: RuleEngine;
  nowMs = 0;
  #sequence = 0;
  session = 'a';

  constructor(...rules: readonly object[]) {
    const specs = rules.map((rule) =>
      checkValue({ id: 'rule', ...rule }, RuleSpec, { subject: 'rule' }),
    );
    this.engine = new RuleEngine(specs, {
      now: () => this.nowMs,
      wallMs: () => Date.UTC(2026, 0, 1) + this.nowMs,
    });
  }

  frame(objects: readonly SceneObject[], facts: Partial<FrameFacts> = {}): FrameFacts {
    const sequence = this.#sequence++;
    const base = frameFacts({
      streamId: 'cam',
      session: this.session,
      frameSequence: String(sequence),
      ptsNs: String(this.nowMs * 1e6),
      timestamp: new Date(Date.UTC(2026, 0, 1) + this.nowMs).toISOString(),
      recordId: `cam/${this.session}/${sequence}`,
      frameWidth: WIDTH,
      frameHeight: HEIGHT,
      objects: objects.map(toJson),
    });
    return { ...base, ...facts };
  }

  /** One frame, 100 ms after the last. */
  show(objects: readonly SceneObject[], facts: Partial<FrameFacts> = {}): RuleEvent[] {
    this.nowMs += 100;
    return this.engine.onFrame(this.frame(objects, facts));
  }

  /** The same picture for so long. */
  hold(ms: number, objects: readonly SceneObject[]): RuleEvent[] {
    return Array.from({ length: ms / 100 }, () => this.show(objects)).flat();
  }
}

function toJson(object: SceneObject) {
  const { id = '', at = [0.5, 0.5], size = [0.1, 0.2] } = object;
  const [x, y] = [at[0] * WIDTH, at[1] * HEIGHT];
  const [width, height] = [size[0] * WIDTH, size[1] * HEIGHT];
  return {
    id,
    type: object.class ?? 'person',
    confidence: object.confidence ?? 0.9,
    classId: 0,
    framesSinceDetection: 0,
    bbox: { leftX: x - width / 2, topY: y - height, rightX: x + width / 2, bottomY: y },
    analytics: { zones: [...(object.zones ?? [])], linesCrossed: [...(object.lines ?? [])] },
    classifications: Object.entries(object.attributes ?? {}).map(([attribute, label]) => ({
      ...{ attribute, label },
      ...{ component: 2, confidence: 1, value: 0 },
    })),
  };
}
