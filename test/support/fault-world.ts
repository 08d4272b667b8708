import type { WorkerView } from '../../src/control/types.ts';
import { fileConfig } from './config.ts';
import { installFixedModel } from './fixed-model.ts';
import { type H264Clip, makeH264Clip } from './h264-clip.ts';
import { startHostileCameras, wellBehaved } from './hostile-camera.ts';
import { TestServer, temporaryFolder } from './server.ts';
import { until } from './wait.ts';

export interface FaultWorldOptions {
  /** Pipelines, each with the ids of its streams. */
  readonly pipelines: Readonly<Record<string, readonly string[]>>;
  /** Of the camera; default 10. */
  readonly fps?: number;
  /** More of the server's configuration. */
  readonly config?: object;
  readonly env?: Readonly<Record<string, string>>;
}

/** A server whose streams look at one good camera of ours, with a model that costs nothing. */
export interface FaultWorld extends AsyncDisposable {
  readonly folder: string;
  readonly clip: H264Clip;
  /** Its name. */
  readonly model: string;
  readonly camera: Awaited<ReturnType<typeof startHostileCameras>>;
  /** The last one that was started. */
  readonly server: TestServer;
  readonly streams: readonly string[];
  restart(): Promise<TestServer>;
  allLive(withinMs: number): Promise<void>;
  worker(pipelineId: string): Promise<WorkerView>;
}

export async function startFaultWorld(options: FaultWorldOptions): Promise<FaultWorld> {
  const { pipelines, fps = 10, config = {}, env = {} } = options;
  const folder = await temporaryFolder();
  const clip = await makeH264Clip(folder.path, { fps });
  const camera = await startHostileCameras({ cam: wellBehaved(clip) });
  const { modelsDir, model } = await installFixedModel(folder.path);
  const source = { type: 'rtsp', url: camera.urlOf('cam') };
  const serverConfig = fileConfig(folder.path, {
    modelsDir,
    defaults: { infer: { model } },
    pipelines: Object.entries(pipelines).map(([id, streams]) => ({
      id,
      infer: { model },
      streams: streams.map((stream) => ({ id: stream, source })),
    })),
    ...config,
  });
  let server = await TestServer.start(folder.path, serverConfig, env);
  const streams = Object.values(pipelines).flat();
  return {
    folder: folder.path,
    clip,
    model,
    camera,
    get server() {
      return server;
    },
    streams,
    async restart() {
      server = await TestServer.start(folder.path, serverConfig, env);
      return server;
    },
    async allLive(withinMs) {
      await Promise.all(streams.map((id) => server.streamIn(id, ['live'], withinMs)));
    },
    async worker(pipelineId) {
      return until(`a worker of ${pipelineId} runs`, 20_000, async () => {
        const { items } = await server.json<{ items: WorkerView[] }>('/v1/workers');
        return items.find((worker) => worker.pipelineId === pipelineId && worker.pid !== undefined);
      });
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await camera[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
