import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { MusterError, reasonOf } from '../../shared/kernel/errors.js';
import { listenHttp } from '../../shared/wire/listen-http.js';
import type { HttpAddress } from '../../shared/wire/listen-http.js';
import { exitCodes } from '../../shared/model/outcome.js';

export interface LivePage {
  /** What to open in a browser. */
  readonly url: string;
  /** From now on `page` is called once per request and its HTML is the answer; 503 before. */
  readonly show: (page: () => string) => void;
  readonly close: () => void;
}

/**
 * Serves one page over HTTP for as long as the run goes on, on this machine only when no host is named. Throws
 * MusterError 3 when the address cannot be had.
 */
export async function openLivePage(at: HttpAddress): Promise<LivePage> {
  const { host = '127.0.0.1', port } = at;
  let page: (() => string) | undefined;
  const server = createServer((message, response) => {
    if (message.method !== 'GET' && message.method !== 'HEAD')
      refuse(response, 405, 'Only GET is answered.');
    else if (message.url !== '/') refuse(response, 404, 'Only / is here.');
    else if (page === undefined) refuse(response, 503, 'The run has not begun.');
    else send(response, page());
  });
  const bound = await listenHttp(server, { host, port }).catch((thrown: unknown) => {
    throw new MusterError(`Cannot show the run on ${host}:${String(port)}: ${reasonOf(thrown)}`, {
      exitCode: exitCodes.notStarted,
      hint: 'Give --ui another port, for example --ui :7763, or :0 for any free one.',
      cause: thrown,
    });
  });
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${String(bound)}/`,
    show: (now) => {
      page = now;
    },
    close: () => {
      server.close();
    },
  };
}

function send(response: ServerResponse, page: string): void {
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(page);
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' });
  response.end(`${why}\n`);
}
