/** A gRPC server on an agent's methods: what it answers is up to the test, byte by byte. */
import type { TestContext } from 'node:test';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { sendUnaryData, ServerDuplexStream, ServerUnaryCall } from '@grpc/grpc-js';
import { encodeHelloReply } from '../../src/shared/wire/hello-frames.js';
import { helloMethod, sessionMethod } from '../../src/shared/wire/service.js';
import { helloReply } from './wire-pair.js';

export type RawCall = ServerDuplexStream<Buffer, Buffer>;

export interface RawAnswers {
  /** Default: as an agent. */
  readonly hello?: (answer: sendUnaryData<Buffer>, call: ServerUnaryCall<Buffer, Buffer>) => void;
  readonly session?: (call: RawCall) => void;
}

/** @returns its port on 127.0.0.1 */
export async function startRawServer(t: TestContext, answers: RawAnswers): Promise<number> {
  const server = new Server();
  const hello = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void => {
    if (answers.hello) answers.hello(answer, call);
    else answer(null, encodeHelloReply(helloReply));
  };
  const session = (call: RawCall): void => {
    call.on('error', () => undefined);
    call.resume();
    answers.session?.(call);
  };
  server.addService(
    { Hello: helloMethod, Session: sessionMethod },
    { Hello: hello, Session: session },
  );
  t.after(() => {
    server.forceShutdown();
  });
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error);
      else resolve(port);
    });
  });
}
