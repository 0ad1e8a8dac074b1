import { createServer as createTcpServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TlsOptions, TLSSocket } from 'node:tls';
import { codeOf, MusterError, reasonOf } from '../kernel/errors.js';
import type { TlsMaterial } from './access.js';
import { formatAddress } from './address.js';
import type { Refusals } from './refusals.js';
import { tlsProblem } from './tls-cause.js';

/** Connections at once, of all peers and of one address: each costs a descriptor and some memory before it says a word. */
const mostConnections = 1024;
const mostOfOnePeer = 128;

const tlsHandshakeMs = 10_000;

export interface ListenAddress {
  /** Undefined: all interfaces. */
  readonly host: string | undefined;
  /** 0: any free one. */
  readonly port: number;
}

export interface ListenerOptions {
  readonly listen: ListenAddress;
  readonly tls?: TlsMaterial | undefined;
  readonly refusals: Refusals;
  /** A connection that may speak gRPC; encrypted and, where that is asked for, with a good certificate. */
  readonly connection: (socket: Socket) => void;
}

export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Takes no more connections, and drops those that are not handed on yet. */
  close(): void;
}

/**
 * The agent's door. Not grpc-js's own, which tells nobody why a TLS connection failed and takes as many connections as
 * come. @throws MusterError when the address cannot be bound
 */
export async function listenForControllers(options: ListenerOptions): Promise<Listener> {
  const { host, port } = options.listen;
  if (host !== undefined) return listenOn({ host, port }, options);
  try {
    // Takes IPv4 as well: Linux maps it unless bindv6only is set.
    return await listenOn({ host: '::', port }, options);
  } catch (error) {
    // A kernel without IPv6 says one of these, depending on how it was switched off.
    const code = error instanceof MusterError ? codeOf(error.cause) : undefined;
    if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error;
    return listenOn({ host: '0.0.0.0', port }, options);
  }
}

function listenOn(
  address: { readonly host: string; readonly port: number },
  options: ListenerOptions,
): Promise<Listener> {
  const guests = new Guests(options.refusals);
  const server = options.tls
    ? tlsServer(options.tls, options, guests)
    : createTcpServer((socket) => {
        if (guests.admit(socket)) options.connection(socket);
      });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(bindFailure(error, formatAddress(address), address.port));
    });
    server.listen({ ...address, exclusive: true }, () => {
      const bound = server.address();
      const port = typeof bound === 'object' && bound ? bound.port : address.port;
      resolve({ host: address.host, port, close: () => server.close() });
    });
  });
}

function tlsServer(tls: TlsMaterial, options: ListenerOptions, guests: Guests): Server {
  const { ca, cert, key } = tls;
  const settings: TlsOptions = {
    ...(ca && { ca, requestCert: true, rejectUnauthorized: true }),
    ...(cert && { cert }),
    ...(key && { key }),
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['h2'],
    handshakeTimeout: tlsHandshakeMs,
  };
  const server = createTlsServer(settings, options.connection);
  server.prependListener('connection', (socket: Socket) => guests.admit(socket));
  server.on('tlsClientError', (error, socket) => {
    const raw = rawSocket(socket);
    if (!guests.knows(raw)) return;
    const peer = peerOf(raw);
    const line = `Refused a connection from ${peer}: ${tlsProblem(error, socket)}`;
    options.refusals.refused('tls', peer, line);
  });
  return server;
}

/** Node forgets the address of a TLS connection that it refused; the TCP connection under it, not documented, has it. */
function rawSocket(socket: TLSSocket): Socket {
  return (socket as { readonly _parent?: Socket })._parent ?? socket;
}

/** Who is connected, so that nobody can take all the places. */
class Guests {
  readonly #refusals: Refusals;
  readonly #ofPeer = new Map<string, number>();
  readonly #admitted = new WeakSet<Socket>();
  #all = 0;

  constructor(refusals: Refusals) {
    this.#refusals = refusals;
  }

  /** False: there are too many, and it was dropped. */
  admit(socket: Socket): boolean {
    // What goes wrong with a connection is heard by who reads it; without a listener it would end the process.
    socket.on('error', () => undefined);
    const from = socket.remoteAddress ?? 'unknown';
    const count = this.#ofPeer.get(from) ?? 0;
    if (this.#all >= mostConnections || count >= mostOfOnePeer) {
      const peer = peerOf(socket);
      const line = `Dropped a connection from ${peer}: ${count} connections of that address are open, ${this.#all} in all`;
      this.#refusals.refused('handshake', peer, line);
      socket.destroy();
      return false;
    }
    this.#all += 1;
    this.#ofPeer.set(from, count + 1);
    this.#admitted.add(socket);
    socket.once('close', () => {
      this.#all -= 1;
      const left = (this.#ofPeer.get(from) ?? 1) - 1;
      if (left > 0) this.#ofPeer.set(from, left);
      else this.#ofPeer.delete(from);
    });
    return true;
  }

  /** False for one that was dropped at once. */
  knows(socket: Socket): boolean {
    return this.#admitted.has(socket);
  }
}

function peerOf(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  const { remoteAddress: host, remotePort: port } = socket;
  return host === undefined || port === undefined ? 'unknown' : formatAddress({ host, port });
}

function bindFailure(error: Error, address: string, port: number): MusterError {
  const fail = (message: string, hint: string): MusterError =>
    new MusterError(message, { exitCode: 2, hint, cause: error });
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return fail(
        `Cannot listen on ${address}: port ${port} is in use, probably by another bench-agent${port === 7761 ? ', or by another tool: some use 7761 too' : ' or another tool'}.`,
        `See who has it with \`ss -ltnp 'sport = :${port}'\`, or listen elsewhere: --listen :${port + 1}`,
      );
    case 'EADDRNOTAVAIL':
      return fail(
        `Cannot listen on ${address}: this host has no such address.`,
        'Use one of its own addresses, or --listen :7761 for all of them.',
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return fail(
        `Cannot listen on ${address}: the name of the host is not known here.`,
        'Give an address of this host, or --listen :7761 for all of them.',
      );
    case 'EACCES':
      return fail(
        `Cannot listen on ${address}: not permitted.`,
        'Ports below 1024 need privileges; use --listen :7761.',
      );
    default:
      return fail(
        `Cannot listen on ${address}: ${reasonOf(error)}`,
        'Check the address after --listen.',
      );
  }
}
