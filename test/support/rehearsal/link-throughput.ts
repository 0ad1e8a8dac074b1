import { randomBytes } from 'node:crypto';
import type { AgentMessage } from '../../../src/shared/model/messages.js';
import { dialWire, startWireAgent } from '../wire-pair.js';

export interface Throughput {
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
}

/** Messages that may be on their way: the sender is never idle, and never far ahead. */
const window = 500;

/**
 * Reliable messages of `size` bytes from an agent's end to a controller's over real gRPC on loopback, framed, checked,
 * acknowledged and delivered in order. Both ends are in this process and share its core.
 */
export async function linkThroughput(size: number, total: number): Promise<Throughput> {
  const agent = await startWireAgent();
  const controller = await dialWire(agent.server.port);
  const sender = await agent.sessions.until(() => true);
  // Of random letters, as hard to deflate as text can be.
  const text = randomBytes(size).toString('base64').slice(0, size);
  const message: AgentMessage = { kind: 'cleaned', files: 0, warnings: [text] };
  const began = process.hrtime.bigint();
  let sent = 0;
  let received = 0;
  await new Promise<void>((resolve) => {
    const send = (): void => {
      for (; sent < total && sent - received < window; sent++) sender.duplex.send(message);
    };
    controller.events.add = () => {
      received += 1;
      if (received === total) resolve();
      else send();
    };
    send();
  });
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  controller.duplex.close('done');
  controller.dialled.hangUp();
  await agent.server.close(1000);
  return { messagesPerSecond: total / seconds, bytesPerSecond: (total * size) / seconds };
}
