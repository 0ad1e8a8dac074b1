import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { Clock } from '../../shared/kernel/clock.js';
import { MusterError, reasonOf } from '../../shared/kernel/errors.js';
import { listenHttp } from '../../shared/wire/listen-http.js';
import type { HttpAddress } from '../../shared/wire/listen-http.js';
import { exitCodes } from '../../shared/model/outcome.js';

/** A page that took long to make, of a large run, is shown four times as long before there is another. */
const shownPart = 4;

export interface LivePage {
  /** What to open in a browser. */
  readonly url: string;
  /** From now on the answer is what `page` makes when it is asked for; 503 before. */
  readonly show: (page: () => Promise<string>) => void;
  readonly close: () => void;
}

/**
 * Serves one page over HTTP for as long as the run goes on, on this machine only when no host is named. Throws
 * MusterError 3 when the address cannot be had.
 */
export async function openLivePage(at: HttpAddress, clock: Clock): Promise<LivePage> {
  const { host = '127.0.0.1', port } = at;
  let page: (() => Promise<string>) | undefined;
  const server = createServer((message, response) => {
    if (message.method !== 'GET' && message.method !== 'HEAD')
      refuse(response, 405, 'Only GET is answered.');
    else if (message.url !== '/') refuse(response, 404, 'Only / is here.');
    else if (page === undefined) refuse(response, 503, 'The run has not begun.');
    else {
      page().then(
        (made) => {
          send(response, made);
        },
        // A bug, but none that the run has to end for.
        (thrown: unknown) => {
          refuse(response, 500, `The page cannot be made: ${reasonOf(thrown)}`);
        },
      );
    }
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
    show: (make) => {
      page = seldom(make, clock);
    },
    close: () => {
      server.close();
    },
  };
}

/** One page at a time, for all who ask meanwhile, and none too soon after one that took long. */
function seldom(make: () => Promise<string>, clock: Clock): () => Promise<string> {
  let page: Promise<string> | undefined;
  let untilMs = Infinity;
  return () => {
    if (page && clock.nowMs() < untilMs) return page;
    const beganMs = clock.nowMs();
    untilMs = Infinity;
    page = make().finally(() => {
      const nowMs = clock.nowMs();
      untilMs = nowMs + shownPart * (nowMs - beganMs);
    });
    return page;
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
