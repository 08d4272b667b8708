import { SightlineError } from '../common/errors.ts';
import { didYouMean } from '../common/near.ts';
import type { QueuedFrame } from './queued-frame.ts';

/** A model and whose frames it looks at. */
export interface Route {
  readonly model: string;
  /** Patterns of stream ids; `*` stands for any characters. Absent: all. */
  readonly streams?: readonly string[] | undefined;
  /** The same of sensor ids. */
  readonly sensors?: readonly string[] | undefined;
}

/** Which models look at which frames. */
export class Routes {
  readonly #routes: readonly {
    readonly model: string;
    readonly streams: RegExp;
    readonly sensors: RegExp;
  }[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map(({ model, streams, sensors }) => ({
      model,
      streams: matcher(streams),
      sensors: matcher(sensors),
    }));
  }

  /**
   * What the frame names itself, else every route that fits; at least one.
   * @throws SightlineError `SL_MESSAGE_INVALID` when it names a model that is not served here, or no route fits
   */
  modelsFor(frame: Pick<QueuedFrame, 'models' | 'streamId' | 'sensorId'>): readonly string[] {
    const known = this.#routes.map(({ model }) => model);
    for (const name of frame.models) {
      if (known.includes(name)) continue;
      const message = `Cannot infer a frame of a queue: it is for the model "${name.slice(0, 64)}", which is not served here`;
      throw new SightlineError('SL_MESSAGE_INVALID', message + didYouMean(name, known));
    }
    if (frame.models.length > 0) return [...new Set(frame.models)];
    const fitting = this.#routes.filter(
      ({ streams, sensors }) => streams.test(frame.streamId) && sensors.test(frame.sensorId),
    );
    if (fitting.length === 0) {
      const message = `Cannot infer a frame of a queue: no model looks at the stream "${frame.streamId}" here`;
      throw new SightlineError('SL_MESSAGE_INVALID', message);
    }
    return fitting.map(({ model }) => model);
  }
}

function matcher(patterns: readonly string[] = ['*']): RegExp {
  const parts = patterns.map((pattern) =>
    pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*'),
  );
  return new RegExp(`^(?:${parts.join('|')})$`);
}
