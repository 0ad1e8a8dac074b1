import type { Socket } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServerDuplexStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { HelloReply } from '../model/messages.js';
import { acceptSession } from './accept-session.js';
import type { IncomingSession } from './accept-session.js';
import type { Access } from './access.js';
import { formatAddress } from './address.js';
import { listenForControllers } from './agent-listener.js';
import type { ListenAddress } from './agent-listener.js';
import { serverFrameStream } from './frame-stream.js';
import { HandshakeRoom } from './handshake-room.js';
import { HelloDesk } from './hello-desk.js';
import { Refusals } from './refusals.js';
import { helloMethod, serverOptions, sessionMethod } from './service.js';

export interface AgentServerOptions {
  readonly listen: ListenAddress;
  readonly access?: Access;
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
  const { listen, access = {}, clock, log, hello, session } = options;
  const { token, tls } = access;
  const refusals = new Refusals(clock, log);
  const room = new HandshakeRoom();
  const desk = new HelloDesk({ clock, token, refusals, hello });
  const server = new Server(serverOptions);
  server.addService(
    { Hello: helloMethod, Session: sessionMethod },
    {
      Hello: (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => {
        reply(null, desk.answer(call.request, call.getPeer()));
      },
      Session: (call: ServerDuplexStream<Buffer, Buffer>) => {
        void acceptSession(serverFrameStream(call), { clock, token, room, refusals, session });
      },
    },
  );
  // What is encrypted is decrypted before it gets here.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const connections = new Set<Socket>();
  const listener = await listenForControllers({
    ...{ listen, tls, refusals },
    connection: (socket) => {
      connections.add(socket);
      socket.once('close', () => connections.delete(socket));
      injector.injectConnection(socket);
    },
  });
  return {
    port: listener.port,
    address: formatAddress(listener),
    close: async (graceMs) => {
      listener.close();
      server.tryShutdown(() => undefined);
      await allClosed(connections, clock, graceMs);
      server.forceShutdown();
      refusals.close();
    },
  };
}

/** At the latest after `graceMs`. On Node 24 grpc-js says that all has ended while streams are still open. */
function allClosed(connections: ReadonlySet<Socket>, clock: Clock, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const stop = clock.after(graceMs, resolve);
    const look = (): void => {
      if (connections.size > 0) return;
      stop();
      resolve();
    };
    for (const socket of connections) socket.once('close', look);
    look();
  });
}
