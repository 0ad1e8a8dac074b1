/**
 * Preloaded into an agent (NODE_OPTIONS=--import=…): 100 log messages of 10 KiB a second, hardly compressible, through
 * the agent's own sender, beside what it has to say anyway.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { AgentMessage, Message } from '../../../src/shared/model/messages.js';
import { Duplex } from '../../../src/shared/wire/duplex.js';

const everyMs = 10;
const lineBytes = 10 * 1024;

if (path.basename(process.argv[1] ?? '') === 'bench-agent.js') {
  const send = Duplex.prototype.send as (this: Duplex, message: Message) => void;
  let say: ((message: Message) => void) | undefined;
  setInterval(() => {
    const line = randomBytes(lineBytes)
      .toString('latin1')
      .replaceAll(/[^ -~]/g, 'x');
    const message: AgentMessage = { kind: 'log', level: 'debug', line };
    say?.(message);
  }, everyMs).unref();
  Duplex.prototype.send = function (message) {
    // Only an agent with a run says this, every second, on the stream of now.
    if (message.kind === 'heartbeat') say = send.bind(this);
    if (message.kind === 'goodbye' || message.kind === 'final') say = undefined;
    send.call(this, message);
  };
}
