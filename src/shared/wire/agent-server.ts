import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServerDuplexStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type { Clock } from '../kernel/clock.js';
import { codeOf, MusterError, reasonOf } from '../kernel/errors.js';
import type { Log } from '../kernel/log.js';
import type { HelloReply } from '../model/messages.js';
import { acceptSession } from './accept-session.js';
import type { IncomingSession } from './accept-session.js';
import { formatAddress } from './address.js';
import { serverFrameStream } from './frame-stream.js';
import { encodeHelloReply, helloMethod, serverOptions, sessionMethod } from './service.js';

export interface AgentServerOptions {
  /** Host undefined: all interfaces. Port 0: any free one. */
  readonly listen: { readonly host: string | undefined; readonly port: number };
  readonly clock: Clock;
  readonly log: Log;
  readonly hello: () => HelloReply;
  /** A controller's Open has come; accept or refuse it. */
  readonly session: (incoming: IncomingSession) => void;
}

export interface AgentServer {
  readonly port: number;
  /** As bound, for the log. */
  readonly address: string;
  /** Lets open streams end for `graceMs`, then cuts them. Never hangs. */
  close(graceMs: number): Promise<void>;
}

/** @throws MusterError when the address cannot be bound */
export async function startAgentServer(options: AgentServerOptions): Promise<AgentServer> {
  const server = new Server(serverOptions);
  server.addService(
    { Hello: helloMethod, Session: sessionMethod },
    {
      Hello: (_call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => {
        reply(null, encodeHelloReply(options.hello()));
      },
      Session: (call: ServerDuplexStream<Buffer, Buffer>) => {
        void acceptSession(serverFrameStream(call), options);
      },
    },
  );
  const { host, port } = await bind(server, options.listen);
  return {
    port,
    address: formatAddress({ host, port }),
    close: (graceMs) => close(server, options.clock, graceMs),
  };
}

async function bind(
  server: Server,
  { host, port }: AgentServerOptions['listen'],
): Promise<{ host: string; port: number }> {
  if (host !== undefined) return { host, port: await bindTo(server, host, port) };
  try {
    // Takes IPv4 as well: Linux maps it unless bindv6only is set.
    return { host: '::', port: await bindTo(server, '::', port) };
  } catch (error) {
    // A kernel without IPv6 says one of these, depending on how it was switched off.
    const code = error instanceof MusterError ? codeOf(error.cause) : undefined;
    if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error;
    return { host: '0.0.0.0', port: await bindTo(server, '0.0.0.0', port) };
  }
}

function bindTo(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const address = formatAddress({ host, port });
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(bindFailure(error, address, port));
      else resolve(bound);
    });
  });
}

function bindFailure(error: Error, address: string, port: number): MusterError {
  const reason = reasonOf(error);
  const code = /\b(E[A-Z]{4,})\b/.exec(reason)?.[1];
  const cause = Object.assign(new Error(reason), { code });
  const fail = (message: string, hint: string): MusterError =>
    new MusterError(message, { exitCode: 2, hint, cause });
  switch (code) {
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
    case 'EACCES':
      return fail(
        `Cannot listen on ${address}: not permitted.`,
        'Ports below 1024 need privileges; use --listen :7761.',
      );
    default:
      return fail(`Cannot listen on ${address}: ${reason}`, 'Check the address after --listen.');
  }
}

function close(server: Server, clock: Clock, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const stop = clock.after(graceMs, () => {
      server.forceShutdown();
    });
    server.tryShutdown(() => {
      stop();
      resolve();
    });
  });
}
