import { Actions, wantsQuit } from './actions.ts';
import { json, type Reply, refusal, result } from './answer.ts';
import type { Caller } from './auth.ts';
import type { NvidiaContext } from './context.ts';
import { CONTROLS } from './controls.ts';
import { embedding } from './embeddings.ts';
import type { Value } from './json-value.ts';
import { Reports } from './reports.ts';

/** A request as an endpoint sees it. */
export interface Call {
  readonly body: Value;
  /** The client's `Accept` names text/plain: Prometheus' format. */
  readonly text: boolean;
  readonly caller: Caller;
}

export interface Endpoint {
  /** `any`: every method the server knows. */
  readonly method: 'GET' | 'POST' | 'any';
  readonly handle: (call: Call) => Reply | Promise<Reply>;
}

/** What version of what this stands in for: clients compare it. */
const VERSION = 'DeepStream-SDK 9.1 - REST API Version v1';

/** Every path with its endpoint. Paths match exactly. */
export function createEndpoints(context: NvidiaContext): ReadonlyMap<string, Endpoint> {
  const actions = new Actions(context);
  const reports = new Reports(context);
  const get = (tell: (text: boolean) => Reply): Endpoint => ({
    method: 'GET',
    handle: ({ text }) => tell(text),
  });
  const post = (act: (body: Value) => Reply | Promise<Reply>): Endpoint => ({
    method: 'POST',
    handle: ({ body }) => act(body),
  });
  const stream = post((body) => actions.stream(body));
  const live = get((text) => reports.live(text));
  const ready = get((text) => reports.ready(text));
  const startup = get((text) => reports.startup(text));
  const controls = Object.entries(CONTROLS).map(
    ([path, control]) => [path, post((body) => actions.control(control, body))] as const,
  );
  return new Map<string, Endpoint>([
    ['/api/v1/stream/add', stream],
    ['/api/v1/stream/remove', stream],
    ['/api/v1/stream/get-stream-info', get((text) => reports.streamInfo(text))],
    ['/api/v1/roi/update', post((body) => actions.roi(body))],
    ...controls,
    ['/api/v1/analytics/reload-config', post((body) => actions.reloadAnalytics(body))],
    ['/api/v1/app/quit', { method: 'POST', handle: (call) => quit(call, context) }],
    ['/api/v1/generate_text_embeddings', post((body) => embedding('text', body))],
    ['/api/v1/generate_image_embeddings', post((body) => embedding('image', body))],
    ['/api/v1/health/get-dsready-state', get(() => reports.readyState())],
    ['/api/v1/metrics', get((text) => reports.metrics(text))],
    ['/api/v1/metadata', get(() => reports.metadata())],
    ['/api/v1/live', live],
    ['/live', live],
    ['/api/v1/ready', ready],
    ['/ready', ready],
    ['/api/v1/startup', startup],
    ['/startup', startup],
    ['/version', { method: 'any', handle: () => json({ version: VERSION }) }],
  ]);
}

function quit({ body, caller }: Call, { onQuit, logger }: NvidiaContext): Reply {
  if (!caller.admin) return refusal(403, 'QUIT_FAIL, the admin token is needed');
  const reply = result(200, 'QUIT_SUCCESS');
  if (!wantsQuit(body)) return reply;
  logger.warn('nvidia.quit');
  return { ...reply, afterwards: onQuit };
}
