import type { ResolvedAnalytics } from '../resolved.ts';

/**
 * The points of a spec are 0 to 1 of the source frame; in the files they are whole numbers of this space. nvdsanalytics
 * scales it to the batched surface (and cuts to whole pixels there), so one file serves every size of muxer.
 */
const SPACE = 10_000;
/**
 * Where a zone that reaches the lower edge of the picture ends. nvdsanalytics counts a point on a lower edge as outside,
 * and the middle of the lower edge of an object that the picture cuts off lies just there.
 */
const BELOW = 10_100;

/** What one nvdsanalytics reads. */
export interface AnalyticsFile {
  readonly text: string;
  /** Indices in `streams` of those it has groups for, ascending. */
  readonly streams: readonly number[];
}

export interface AnalyticsFileOptions {
  /** Draw zones, lines and counts on the picture (nvdsosd shows them). Default false: it costs time on every frame. */
  readonly draw?: boolean;
  /** At least this many files, empty ones where there is nothing to write: an element that is given work later. Default 0. */
  readonly least?: number;
}

/** One group of a file: items that share what nvdsanalytics knows once a group. */
interface Group {
  /** `roi-filtering`, ...; the stream's index is added. */
  readonly name: string;
  /** Index of the file: how many groups of this name the stream had before. */
  readonly file: number;
  /** Lines that hold for each item; they also tell groups apart. */
  readonly settings: readonly string[];
  readonly items: string[];
}

/**
 * Writes zones, lines and directions as configurations (INI) of nvdsanalytics, which slanalytics reads likewise.
 * `streams` are ids in the order of the muxer's pads: `-stream-N` is a place in it.
 *
 * nvdsanalytics has one class list, `inverse-roi`, `object-threshold`, `extended` and `mode` per stream and kind of
 * item, the spec has them per item. Items that differ go into different files: one element each, in series, with
 * distinct unique-ids. Most pipelines need one; none when no item is for these streams.
 *
 * Labels are the ids of the spec and nvdsanalytics puts its results under them (maps, in no order). Into the message
 * go, from all elements together and sorted by id in byte order:
 *  - `Analytics.zones`: `objInROIcnt` is `objects`. A zone with an overcrowding limit is in both groups, `roi-filtering`
 *    and `overcrowding`, maybe of two elements, with the same count; `ocStatus` of the frame is `overcrowded`.
 *  - `Analytics.lines`: `objLCCurrCnt` is `crossings`, `objLCCumCnt` is `crossings_total`.
 *  - `ObjectAnalytics.zones`: `roiStatus`. `overcrowded_zones`: those of the object's `ocStatus` (which names each zone
 *    with a limit that it is in, crowded or not) whose `ocStatus` of the frame is true. `lines_crossed`: `lcStatus`.
 *  - `ObjectAnalytics.direction`: the first id, in byte order, of `dirStatus` (" DIR:north  DIR:east "). `stopped`: the
 *    word STOPPED stands in `objStatus` (ids are lower-case, so none is that word).
 */
export function analyticsFiles(
  analytics: ResolvedAnalytics,
  streams: readonly string[],
  { draw = false, least = 0 }: AnalyticsFileOptions = {},
): AnalyticsFile[] {
  const groups = streams.map((stream) => groupsOf(analytics, stream));
  const count = Math.max(least, ...groups.flat().map(({ file }) => file + 1));
  return Array.from({ length: count }, (_, file) => {
    const chosen = groups.map((all) => all.filter((group) => group.file === file));
    const sections = chosen.flatMap((all, stream) => all.map((group) => section(group, stream)));
    return {
      text: [header(draw), ...sections].join('\n'),
      streams: [...chosen.keys()].filter((stream) => chosen[stream]!.length > 0),
    };
  });
}

function header(draw: boolean): string {
  return lines([
    '[property]',
    'enable=1',
    `config-width=${SPACE}`,
    `config-height=${SPACE}`,
    `osd-mode=${draw ? 2 : 0}`,
    // Frames of history an object's movement is judged by (the key is also a time for counts that no message has).
    'obj-cnt-win-in-ms=50',
  ]);
}

function section({ name, settings, items }: Group, stream: number): string {
  return lines([`[${name}-stream-${stream}]`, 'enable=1', ...settings, ...items]);
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

/** The groups of one stream. */
function groupsOf(analytics: ResolvedAnalytics, stream: string): Group[] {
  const groups: Group[] = [];
  const add = (name: string, settings: readonly string[], item: string): void => {
    const named = groups.filter((group) => group.name === name);
    const same = named.find((group) => group.settings.join('\n') === settings.join('\n'));
    if (same === undefined) groups.push({ name, file: named.length, settings, items: [item] });
    else same.items.push(item);
  };
  const here = ({ streams }: { readonly streams?: readonly string[] }) =>
    streams === undefined || streams.includes(stream);
  for (const zone of analytics.zones.filter(here)) {
    const { id, polygon, invert, overcrowding } = zone;
    const reaching = polygon.map(([x = 0, y = 0]) => [x, y >= 1 ? BELOW / SPACE : y]);
    const roi = `roi-${id}=${points(reaching)}`;
    add('roi-filtering', [classes(zone), `inverse-roi=${invert ? 1 : 0}`], roi);
    if (overcrowding === undefined) continue;
    add('overcrowding', [classes(zone), `object-threshold=${overcrowding.objects}`], roi);
  }
  for (const line of analytics.lines.filter(here)) {
    const settings = [classes(line), `extended=${line.extended ? 1 : 0}`, `mode=${line.mode}`];
    const item = `line-crossing-${line.id}=${points([...line.direction, ...line.line])}`;
    add('line-crossing', settings, item);
  }
  for (const direction of analytics.directions.filter(here)) {
    const item = `direction-${direction.id}=${points(direction.direction)}`;
    add('direction-detection', [classes(direction)], item);
  }
  return groups;
}

function classes({ classIds }: { readonly classIds?: readonly number[] }): string {
  return `class-id=${classIds?.join(';') ?? -1}`;
}

function points(list: readonly (readonly number[])[]): string {
  return list
    .flat()
    .map((value) => Math.round(value * SPACE))
    .join(';');
}
