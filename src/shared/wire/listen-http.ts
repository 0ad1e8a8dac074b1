import { once } from 'node:events';
import type { Server } from 'node:http';

export interface HttpAddress {
  /** Undefined: all interfaces. */
  readonly host: string | undefined;
  /** 0: any free one. */
  readonly port: number;
}

/**
 * Makes a server listen, which keeps no process alive: nor does a client that keeps its connection.
 * @returns the port. Rejects with the system's error
 */
export async function listenHttp(server: Server, { host, port }: HttpAddress): Promise<number> {
  const listening = once(server, 'listening');
  server.listen(port, host);
  await listening;
  server.unref();
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}
