import { createServer } from 'node:http';
import { MusterError, reasonOf } from '../../../shared/kernel/errors.js';
import { listenHttp } from '../../../shared/wire/listen-http.js';
import type { HttpAddress } from '../../../shared/wire/listen-http.js';
import { exitCodes } from '../../../shared/model/outcome.js';

export interface MetricsServer {
  readonly port: number;
  readonly close: () => void;
}

/**
 * Answers `GET /metrics` over HTTP with what `text` says then. It changes nothing and asks for no password.
 * @throws MusterError when the address cannot be listened on
 */
export async function serveMetrics(at: HttpAddress, text: () => string): Promise<MetricsServer> {
  const server = createServer((message, response) => {
    if (message.method !== 'GET' && message.method !== 'HEAD') response.writeHead(405).end();
    else if (message.url !== '/metrics') response.writeHead(404).end('Only /metrics is here.\n');
    else {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
      response.end(text());
    }
  });
  const port = await listenHttp(server, at).catch((thrown: unknown) => {
    const address = `${at.host ?? ''}:${String(at.port)}`;
    throw new MusterError(`Cannot show metrics on ${address}: ${reasonOf(thrown)}`, {
      exitCode: exitCodes.usage,
      hint: 'Give --metrics another address, for example :9761.',
      cause: thrown,
    });
  });
  return {
    port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
