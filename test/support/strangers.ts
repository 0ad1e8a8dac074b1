/** Who else may answer at an agent's address. Each is closed at the end of the test. */
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import { protocolVersion } from '../../src/shared/model/messages.js';
import { startAgentServer } from '../../src/shared/wire/agent-server.js';
import { product } from '../../src/shared/wire/hello-frames.js';

/** Takes connections and never says a word. */
export async function silentServer(t: TestContext): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return listening(server);
}

export async function webServer(t: TestContext): Promise<string> {
  const server = createHttpServer((_, response) => response.end('<html>It works!</html>'));
  t.after(() => server.close());
  return listening(server);
}

/** Speaks gRPC, and knows nothing of agents. */
export async function otherGrpcServer(t: TestContext): Promise<string> {
  const server = new GrpcServer();
  t.after(() => {
    server.forceShutdown();
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return `127.0.0.1:${port}`;
}

/** An agent as a later release might be. */
export async function agentOfAnotherVersion(t: TestContext): Promise<string> {
  const server = await startAgentServer({
    listen: { host: '127.0.0.1', port: 0 },
    clock: systemClock,
    log: () => undefined,
    hello: () => ({
      product,
      protocol: protocolVersion + 1,
      version: '9.0.0',
      instanceId: 'later',
      bootId: 'later',
      agentId: '',
      state: 'IDLE',
      owner: undefined,
      hostname: 'later',
      ownerSpeaks: false,
      tokenRequired: false,
      checkpoints: [],
    }),
    session: (incoming) => {
      incoming.refuse({ code: 'protocol', message: 'too old for me', owner: undefined });
    },
  });
  t.after(() => server.close(0));
  return `127.0.0.1:${server.port}`;
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
