import { PROMETHEUS_TYPE, type Reply } from './answer.ts';
import { printDigits } from './json-value.ts';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A gauge with its samples; one without samples is left out. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** Text format 0.0.4 as prometheus-cpp writes it; every sample carries `app_name="ds"`. */
export function prometheus(gauges: readonly Gauge[]): Reply {
  const lines = gauges
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ name, help, samples }) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} gauge`,
      ...samples.map(({ labels, value }) => `${name}{${pairs(labels)}} ${printDigits(value, 16)}`),
    ]);
  return {
    status: 200,
    contentType: PROMETHEUS_TYPE,
    body: lines.map((line) => `${line}\n`).join(''),
  };
}

function pairs(labels: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return [['app_name', 'ds'] as const, ...sorted]
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(',');
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
