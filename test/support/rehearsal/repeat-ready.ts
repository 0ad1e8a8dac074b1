/** Preloaded into an agent (NODE_OPTIONS=--import=…): it says READY three times, as if it were a keepalive. */
import path from 'node:path';
import { Duplex } from '../../../src/shared/wire/duplex.js';

if (path.basename(process.argv[1] ?? '') === 'bench-agent.js') {
  const { send } = Duplex.prototype;
  Duplex.prototype.send = function (message) {
    const times = message.kind === 'ready' ? 3 : 1;
    for (let time = 0; time < times; time++) send.call(this, message);
  };
}
