import { toSightlineError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { LiveCommand, Orchestrator } from '../../control/types.ts';
import { Refused, type Reply, result } from './answer.ts';
import type { Control } from './controls.ts';
import { asBool, ConversionError, eachMember, find } from './conversions.ts';
import type { Value } from './json-value.ts';
import { parseControl, parseRoi } from './parse-control.ts';
import { parseStreamRequest } from './parse-stream.ts';
import type { NvidiaStreams } from './streams.ts';
import { zonesOf } from './zones.ts';

export interface ActionContext {
  readonly orchestrator: Orchestrator;
  readonly streams: NvidiaStreams;
  readonly logger: Logger;
}

/** What the POST endpoints do. Each takes the body and answers, or throws Refused. */
export class Actions {
  readonly #context: ActionContext;

  constructor(context: ActionContext) {
    this.#context = context;
  }

  /** stream/add and stream/remove: the path says nothing, `value.change` does. */
  async stream(body: Value): Promise<Reply> {
    const request = parseStreamRequest(body);
    const { streams } = this.#context;
    switch (request.action) {
      case 'add':
        await streams.add(request);
        return result(200, 'STREAM_ADD_SUCCESS');
      case 'remove':
        await streams.remove(request);
        return result(200, 'STREAM_REMOVE_SUCCESS');
      case 'neither':
        throw new Refused(400, 'Sensor API change string not supported');
    }
  }

  /** An endpoint of controls.ts. */
  async control(control: Control, body: Value): Promise<Reply> {
    const { sourceId, value } = parseControl(body, control);
    if (sourceId === undefined) throw new Refused(500, control.notDone);
    const camera = this.#context.streams.find(sourceId);
    if (camera === undefined) throw new Refused(500, control.unknownStream);
    if (control.command === undefined) throw new Refused(500, control.notDone);
    const done = await this.#change(camera.view.id, control.command(value));
    if (done !== undefined) throw new Refused(500, control.notDone);
    return result(200, `${control.name}_UPDATE_SUCCESS`);
  }

  /** roi/update: the rectangles become the stream's zones. */
  async roi(body: Value): Promise<Reply> {
    const { sourceId, rectangles } = parseRoi(body);
    const camera = this.#context.streams.find(sourceId);
    if (camera === undefined) {
      throw new Refused(500, 'ROI_UPDATE_FAIL, Unable to find stream id for ROI updation');
    }
    const { id } = camera.view;
    const frame = this.#context.orchestrator.getLatestFrame(id)?.frame;
    const size = { width: frame?.frameWidth ?? 0, height: frame?.frameHeight ?? 0 };
    // Pixels mean nothing before the first frame.
    if (size.width === 0 || size.height === 0) throw new Refused(500, ROI_NOT_PUSHED);
    const failure = await this.#change(id, { kind: 'zones', zones: zonesOf(rectangles, size) });
    if (failure === 'SL_SPEC_INVALID') {
      throw new Refused(500, 'ROI_UPDATE_FAIL, nv-roi-update event creation failed');
    }
    if (failure !== undefined) throw new Refused(500, ROI_NOT_PUSHED);
    return result(200, 'ROI_UPDATE_SUCCESS');
  }

  /** analytics/reload-config: every stream with analytics reads its own file again; the path in the body is not used. */
  async reloadAnalytics(body: Value): Promise<Reply> {
    parseControl(body, {
      name: 'RELOAD_CONFIG',
      field: 'config_file_path',
      type: 'text',
      stream: 'none',
    });
    const ids = this.#context.streams.list().map(({ view }) => view.id);
    const failures = await Promise.all(
      ids.map((id) => this.#change(id, { kind: 'analytics-reload' })),
    );
    if (failures.includes(undefined)) return result(200, 'RELOAD_CONFIG_UPDATE_SUCCESS');
    throw new Refused(500, 'RELOAD_CONFIG_UPDATE_FAIL, analytics-config-update event not pushed');
  }

  /** The code of what went wrong, which is logged; undefined when it is done. */
  async #change(streamId: string, command: LiveCommand): Promise<string | undefined> {
    const { orchestrator, logger } = this.#context;
    try {
      await orchestrator.control(streamId, command);
      return undefined;
    } catch (error) {
      const { code, message } = toSightlineError(error);
      logger.warn({ streamId, change: command.kind, code, message }, 'nvidia.change-failed');
      return code;
    }
  }
}

const ROI_NOT_PUSHED = 'ROI_UPDATE_FAIL, nv-roi-update event not pushed';

/** Whether app/quit really asks for the end; NVIDIA's server says QUIT_SUCCESS to `false` too. Throws Refused. */
export function wantsQuit(body: Value): boolean {
  try {
    let quit = false;
    for (const [, member] of eachMember(body)) quit = asBool(find(member, 'app_quit'));
    return quit;
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    throw new Refused(400, `QUIT_FAIL, error: ${error.message}`);
  }
}
