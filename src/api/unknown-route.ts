import type { FastifyInstance } from 'fastify';
import { sendProblem } from './problem.ts';

/** As the router's maxParamLength. */
export const MAX_NAME = 128;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** 405 with `Allow` where the path is there for other methods, else 404. Neither repeats more than the path. */
export function answerUnknown(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = METHODS.filter((method) => hasPath(app, method, path));
    if (allowed.length > 0) {
      reply.header('allow', allowed.join(', '));
      return sendProblem(request, reply, {
        status: 405,
        code: 'SL_REQUEST_INVALID',
        retryable: false,
        detail: `There is no ${request.method} here, only ${allowed.join(', ')}; /docs lists what there is`,
      });
    }
    return sendProblem(request, reply, {
      status: 404,
      code: 'SL_NOT_FOUND',
      retryable: false,
      detail: `There is no ${request.method} ${path}; /docs lists what there is`,
    });
  });
}

/** The folder of the page takes any path: that one does not count. The router takes no longer name. */
function hasPath(app: FastifyInstance, method: string, url: string): boolean {
  if (url.split('/').some((part) => part.length > MAX_NAME)) return false;
  const route = app.findRoute({ method: method as 'GET', url });
  return route !== null && !Object.hasOwn(route.params, '*');
}
