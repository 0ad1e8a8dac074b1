import { createServer } from 'node:http';
import { MusterError, reasonOf } from '../../../shared/kernel/errors.js';
import { exitCodes } from '../../../shared/model/outcome.js';

export interface MetricsAddress {
  /** Undefined: all interfaces. */
  readonly host: string | undefined;
  /** 0: any free one. */
  readonly port: number;
}

export interface MetricsServer {
  readonly port: number;
  readonly close: () => void;
}

/**
 * Answers `GET /metrics` over HTTP with what `text` says then. It changes nothing and asks for no password.
 * @throws MusterError when the address cannot be listened on
 */
export async function serveMetrics(at: MetricsAddress, text: () => string): Promise<MetricsServer> {
  const server = createServer((message, response) => {
    if (message.method !== 'GET' && message.method !== 'HEAD') response.writeHead(405).end();
    else if (message.url !== '/metrics') response.writeHead(404).end('Only /metrics is here.\n');
    else {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
      response.end(text());
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (thrown) => {
      const address = `${at.host ?? ''}:${String(at.port)}`;
      reject(
        new MusterError(`Cannot show metrics on ${address}: ${reasonOf(thrown)}`, {
          exitCode: exitCodes.usage,
          hint: 'Give --metrics another address, for example :9761.',
          cause: thrown,
        }),
      );
    });
    server.listen(at.port, at.host);
  });
  // A scraper that keeps its connection must not keep the agent.
  server.unref();
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : at.port;
  return {
    port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
