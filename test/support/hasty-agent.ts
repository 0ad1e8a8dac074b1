/** bench-agent, but for its workload process, hasty-runner.ts; the folder of its spool is its argument. */
import { fileURLToPath } from 'node:url';
import { serveAgent } from '../../src/agent/shell/serve.js';
import { systemClock } from '../../src/shared/kernel/system-clock.js';

const agent = await serveAgent({
  listen: { host: '127.0.0.1', port: 0 },
  once: false,
  id: 'hasty',
  roots: [],
  env: process.env,
  spool: process.argv[2],
  clock: systemClock,
  log: (level, line) => process.stderr.write(`${level} ${line}\n`),
  runnerEntry: fileURLToPath(new URL('./hasty-runner.js', import.meta.url)),
});
process.on('SIGTERM', (signal) => {
  agent.stop(signal);
});
process.stdout.write(`listening on ${agent.address} \n`);
process.exitCode = await agent.left;
