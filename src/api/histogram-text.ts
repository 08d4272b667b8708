import type { HistogramView } from '../outbox/histogram.ts';

export interface LabelledHistogram {
  readonly labels: Readonly<Record<string, string>>;
  readonly view: HistogramView;
}

/** Histograms of one name in the text format of Prometheus 0.0.4; empty when there are none. */
export function histogramText(
  name: string,
  help: string,
  histograms: readonly LabelledHistogram[],
): string {
  if (histograms.length === 0) return '';
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
  for (const { labels, view } of histograms) {
    let below = 0;
    for (const [index, bound] of view.bounds.entries()) {
      below += view.counts[index]!;
      lines.push(`${name}_bucket${labelText({ ...labels, le: String(bound) })} ${below}`);
    }
    lines.push(`${name}_bucket${labelText({ ...labels, le: '+Inf' })} ${view.count}`);
    lines.push(`${name}_sum${labelText(labels)} ${view.sum}`);
    lines.push(`${name}_count${labelText(labels)} ${view.count}`);
  }
  return `${lines.join('\n')}\n`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([key, value]) => {
    const escaped = value.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));
    return `${key}="${escaped}"`;
  });
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}
