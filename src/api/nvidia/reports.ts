import type { Orchestrator } from '../../control/types.ts';
import { json, type Reply, result } from './answer.ts';
import { Real } from './json-value.ts';
import { type Gauge, prometheus, type Sample } from './prometheus.ts';
import type { Camera, NvidiaStreams } from './streams.ts';
import { SystemMeter, type SystemStats } from './system-stats.ts';

export interface ReportContext {
  readonly orchestrator: Orchestrator;
  readonly streams: NvidiaStreams;
  /** Reasons why the server should get no work now; empty when it is ready. */
  readonly notReadyBecause: () => readonly string[];
}

/** Figures of a stream that has sent frames. */
interface StreamFigures {
  readonly camera: Camera;
  readonly fps: number;
  readonly latencyMs: number;
  readonly frameNumber: number;
}

/** What the GET endpoints tell; `text` asks for Prometheus' format, where there is one. */
export class Reports {
  readonly #context: ReportContext;
  readonly #meter = new SystemMeter();

  constructor(context: ReportContext) {
    this.#context = context;
  }

  streamInfo(text: boolean): Reply {
    const cameras = this.#context.streams.list();
    if (text) {
      return prometheus([single('total_stream_count', 'Stream info count', cameras.length)]);
    }
    const list = cameras.map(({ cameraId, cameraName, sourceId }) => ({
      camera_id: cameraId,
      camera_name: cameraName,
      source_id: sourceId,
    }));
    return result(200, 'GET_LIVE_STREAM_INFO_SUCCESS', {
      'stream-info': { 'stream-count': list.length, 'stream-info': list },
    });
  }

  /** health/get-dsready-state has no Prometheus format. */
  readyState(): Reply {
    return result(200, 'GET_READY_INFO_SUCCESS', { 'health-info': { 'ds-ready': this.#ready() } });
  }

  ready(text: boolean): Reply {
    const ready = this.#ready();
    if (text) return prometheus([single('ready_metrics', 'Ready metrics', ready, 'ds_ready')]);
    return result(200, 'GET_READY_INFO_SUCCESS', { 'ready-info': { 'ds-ready': ready } });
  }

  /** A server that answers is alive, whatever its cameras do. */
  live(text: boolean): Reply {
    if (text) return prometheus([single('live_metrics', 'Live metrics', 'YES', 'ds_liveness')]);
    return result(200, 'GET_LIVE_INFO_SUCCESS', { 'live-info': { 'ds-liveness': 'YES' } });
  }

  startup(text: boolean): Reply {
    if (text) {
      return prometheus([single('startup_metrics', 'Startup metrics', 'YES', 'ds_startup')]);
    }
    return result(200, 'GET_STARTUP_INFO_SUCCESS', { 'startup-info': { 'ds-startup': 'YES' } });
  }

  metrics(text: boolean): Reply {
    const figures = this.#figures();
    const system = this.#meter.read();
    if (text) return prometheus([...streamGauges(figures), ...systemGauges(system, figures)]);
    const found = figures.length > 0 ? '' : ' - No data available';
    return result(200, `GET_METRICS_INFO_SUCCESS${found}`, {
      'metrics-info': {
        'stream-count': figures.length,
        'stream-stats': figures.map(({ camera, fps, latencyMs, frameNumber }) => ({
          fps: new Real(fps),
          frame_number: frameNumber,
          latency_ms: new Real(latencyMs),
          sensor_id: camera.cameraId,
          sensor_name: camera.cameraName,
          source_id: camera.sourceId,
        })),
        'system-stats': {
          GPU_gb: new Real(system.gpuGb),
          RAM_gb: new Real(system.ramGb),
          cpu_util: new Real(system.cpuPercent),
          gpu_util: new Real(system.gpuPercent),
        },
      },
    });
  }

  /** The same shape, with what is true here. */
  metadata(): Reply {
    return json({
      version: '1.0.0',
      'sub-version': '',
      licenseInfo: {
        name: 'Apache-2.0',
        path: 'LICENSE',
        url: 'https://www.apache.org/licenses/LICENSE-2.0',
      },
    });
  }

  #ready(): 'YES' | 'NO' {
    return this.#context.notReadyBecause().length === 0 ? 'YES' : 'NO';
  }

  /** Of the streams that have sent frames, by source id. */
  #figures(): readonly StreamFigures[] {
    const { orchestrator, streams } = this.#context;
    return streams
      .list()
      .flatMap((camera) => {
        const { id, status } = camera.view;
        const latest = orchestrator.getLatestFrame(id);
        if (latest === undefined || status.latencyMs === undefined) return [];
        const frameNumber = Number(latest.frame.frameSequence);
        const { p50: latencyMs } = status.latencyMs;
        return [{ camera, fps: status.fps.published, latencyMs, frameNumber }];
      })
      .sort((a, b) => a.camera.sourceId - b.camera.sourceId);
  }
}

/** A gauge of one sample; YES and NO are 1 and 0. */
function single(
  name: string,
  help: string,
  value: number | 'YES' | 'NO',
  metric: string = name,
): Gauge {
  const number = typeof value === 'number' ? value : value === 'YES' ? 1 : 0;
  return gauge(name, help, [{ labels: { metric_name: metric }, value: number }]);
}

function gauge(name: string, help: string, samples: readonly Sample[]): Gauge {
  return { name, help: `${help} from ds`, samples };
}

function streamGauges(figures: readonly StreamFigures[]): readonly Gauge[] {
  const samples = (metric: string, value: (figures: StreamFigures) => number): Sample[] =>
    figures.map((of) => ({
      labels: {
        metric_name: metric,
        sensor_id: of.camera.cameraId,
        sensor_name: of.camera.cameraName,
        source_id: String(of.camera.sourceId),
      },
      value: value(of),
    }));
  return [
    gauge(
      'fps_metrics',
      'FPS metrics',
      samples('stream_fps', ({ fps }) => fps),
    ),
    gauge(
      'latency_metrics',
      'Latency metrics',
      samples('stream_latency_ms', ({ latencyMs }) => latencyMs),
    ),
    gauge(
      'frame_number_metrics',
      'Frame number metrics',
      samples('stream_frame_number', ({ frameNumber }) => frameNumber),
    ),
  ];
}

function systemGauges(system: SystemStats, figures: readonly StreamFigures[]): readonly Gauge[] {
  const pair = (a: string, first: number, b: string, second: number): readonly Sample[] => [
    { labels: { metric_name: a }, value: first },
    { labels: { metric_name: b }, value: second },
  ];
  const { gpuGb, ramGb, cpuPercent, gpuPercent } = system;
  return [
    gauge(
      'memory_metrics',
      'Memory metrics',
      pair('system_gpu_memory_gb', gpuGb, 'system_ram_memory_gb', ramGb),
    ),
    gauge(
      'utilization_metrics',
      'Utilization metrics',
      pair('system_cpu_utilization', cpuPercent, 'system_gpu_utilization', gpuPercent),
    ),
    single('stream_count', 'Stream count', figures.length),
  ];
}
