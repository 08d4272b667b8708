import type { InjectOptions } from 'fastify';
import { apiUnderTest, type DoubleOptions } from './double.ts';

export const RTSP = { type: 'rtsp', url: 'rtsp://camera.example/1' };
export const PATCH_TYPE = 'application/merge-patch+json';

type Headers = Record<string, string>;

/** The double with short ways to ask it. */
export async function api(options: DoubleOptions = {}) {
  const parts = await apiUnderTest(options);
  const send = async (
    method: InjectOptions['method'],
    url: string,
    body?: unknown,
    headers: Headers = {},
  ) =>
    parts.app.inject({
      method: method!,
      url,
      headers: {
        ...(body === undefined
          ? {}
          : { 'content-type': method === 'PATCH' ? PATCH_TYPE : 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  return {
    ...parts,
    send,
    get: (url: string, headers: Headers = {}) => send('GET', url, undefined, headers),
    post: (url: string, body?: unknown, headers: Headers = {}) => send('POST', url, body, headers),
    put: (url: string, body: unknown, headers: Headers = {}) => send('PUT', url, body, headers),
    patch: (url: string, body: unknown, headers: Headers = {}) => send('PATCH', url, body, headers),
    remove: (url: string, headers: Headers = {}) => send('DELETE', url, undefined, headers),
  };
}

export function gate(ids: readonly string[] = ['in', 'out']) {
  return { id: 'gate', streams: ids.map((id) => ({ id, source: RTSP })) };
}
