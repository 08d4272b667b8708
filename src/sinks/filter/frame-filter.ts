import type { PendingRecord } from '../../common/delivery.ts';
import { withParts } from '../../common/record-bytes.ts';
import { type FrameObject, keepObjects, readObjects, type Wanted } from './frame-objects.ts';
import type { When } from './spec.ts';
import { StreamPace } from './stream-pace.ts';

/** Judges frames. Keeps for each stream what was sent last, so each frame may be asked about once. */
export class FrameFilter {
  readonly #when: When;
  readonly #classes: ReadonlySet<string> | undefined;
  readonly #zones: ReadonlySet<string> | undefined;
  readonly #lines: ReadonlySet<string> | undefined;
  readonly #minConfidence: number;
  readonly #hasObjects: boolean | undefined;
  readonly #needsObjects: boolean;
  readonly #wanted: Wanted;
  readonly #pace: StreamPace;

  constructor(when: When) {
    const { classes, zones, lines, minConfidence, changesOnly, hasObjects } = when;
    this.#when = when;
    this.#classes = classes && new Set(classes);
    this.#zones = zones && new Set(zones);
    this.#lines = lines && new Set(lines);
    this.#minConfidence = minConfidence ?? 0;
    const asksObjects = [classes, zones, lines, minConfidence].some((item) => item !== undefined);
    this.#hasObjects = hasObjects ?? (asksObjects ? true : undefined);
    this.#needsObjects = this.#hasObjects !== undefined || changesOnly === true;
    const isChange = changesOnly === true;
    this.#wanted = { id: isChange, type: isChange || classes !== undefined };
    this.#pace = new StreamPace(when);
  }

  /**
   * The frame to send, undefined when it does not pass.
   * @throws UNUSUAL for bytes that are no frame
   */
  judge(record: PendingRecord): PendingRecord | undefined {
    if (!this.#needsObjects) return this.#pace.admit(record, undefined) ? record : undefined;
    const objects = readObjects(record.payload, this.#wanted);
    const matching = objects.filter((object) => this.#matches(object));
    if (this.#hasObjects !== undefined && matching.length > 0 !== this.#hasObjects)
      return undefined;
    const set = this.#when.changesOnly === true ? setOf(matching) : undefined;
    if (!this.#pace.admit(record, set)) return undefined;
    if (this.#when.objects !== 'matching' || matching.length === objects.length) return record;
    const payload = keepObjects(record.payload, objects, new Set(matching));
    return withParts(record, { payload });
  }

  #matches({ type, confidence, zones, lines }: FrameObject): boolean {
    if (confidence < this.#minConfidence) return false;
    if (this.#classes !== undefined && !this.#classes.has(type)) return false;
    if (this.#zones !== undefined && !zones.some((zone) => this.#zones!.has(zone))) return false;
    return this.#lines === undefined || lines.some((line) => this.#lines!.has(line));
  }
}

/** Objects without an id count by their label, however many there are of it. */
function setOf(objects: readonly FrameObject[]): string {
  return objects
    .map(({ id, type }) => `${id}\u0000${type}`)
    .sort()
    .join('\u0001');
}
