import type { Logger } from '../common/logger.ts';
import type { Orchestrator } from '../control/types.ts';
import { RecordingService } from '../recording/service.ts';
import type { RecordedStream } from '../recording/settings.ts';
import type { LoadedConfig } from './config/load.ts';
import { recordingSettings } from './config/recording.ts';
import type { DeliveryService } from './delivery/service.ts';

export interface RecordingsOptions {
  readonly delivery: Pick<DeliveryService, 'store'>;
  readonly orchestrator: Pick<Orchestrator, 'events' | 'getStream'>;
  readonly logger: Logger;
}

/** The recordings of the server, not started yet; undefined where the configuration has none. */
export async function openRecordings(
  { config, baseDir, dataDir }: LoadedConfig,
  { delivery, orchestrator, logger }: RecordingsOptions,
): Promise<RecordingService | undefined> {
  if (config.recording === undefined) return undefined;
  return RecordingService.open({
    settings: recordingSettings(config.recording, { baseDir, dataDir }),
    storeRecords: (records) => delivery.store(records),
    stream: (id) => recordedStream(id, orchestrator),
    emit: (type, facts) => void orchestrator.events.emit(type, facts),
    logger,
  });
}

function recordedStream(
  id: string,
  orchestrator: Pick<Orchestrator, 'getStream'>,
): RecordedStream | undefined {
  try {
    const { spec } = orchestrator.getStream(id);
    const { sensorId, sinks } = spec as { sensorId?: string; sinks?: readonly string[] };
    return {
      ...(sensorId === undefined ? {} : { sensorId }),
      ...(sinks === undefined ? {} : { sinks }),
    };
  } catch {
    // A stream that is gone has left its recordings.
    return undefined;
  }
}
