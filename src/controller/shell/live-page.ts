import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import { MusterError, reasonOf } from '../../shared/kernel/errors.js';
import { exitCodes } from '../../shared/model/outcome.js';

export interface LivePageAddress {
  /** Name or address to listen on; an undefined host is this machine only. */
  readonly host: string | undefined;
  /** 0: any free one. */
  readonly port: number;
}

export interface LivePage {
  /** What to open in a browser. */
  readonly url: string;
  /** From now on `page` is called once per request and its HTML is the answer; 503 before. */
  readonly show: (page: () => string) => void;
  readonly close: () => void;
}

/** Serves one page over HTTP for as long as the run goes on. Throws MusterError 3 when the address cannot be had. */
export async function openLivePage(at: LivePageAddress): Promise<LivePage> {
  const { host = '127.0.0.1', port } = at;
  let page: (() => string) | undefined;
  const server = createServer((message, response) => {
    if (message.method !== 'GET' && message.method !== 'HEAD')
      refuse(response, 405, 'Only GET is answered.');
    else if (message.url !== '/') refuse(response, 404, 'Only / is here.');
    else if (page === undefined) refuse(response, 503, 'The run has not begun.');
    else send(response, page());
  });
  await listening(server, host, port);
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  // A browser that keeps its connection must not keep the controller.
  server.unref();
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

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (thrown) => {
      reject(
        new MusterError(`Cannot show the run on ${host}:${String(port)}: ${reasonOf(thrown)}`, {
          exitCode: exitCodes.notStarted,
          hint: 'Give --ui another port, for example --ui :7763, or :0 for any free one.',
          cause: thrown,
        }),
      );
    });
    server.listen(port, host);
  });
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
