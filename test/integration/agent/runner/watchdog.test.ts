import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { processGone } from '../../../support/agent-process.js';

const stuck = fileURLToPath(new URL('../../../support/stuck-process.js', import.meta.url));

test('[RUN-10] a workload process whose main thread is stuck ends when its parent is killed, long before its lease', async (t) => {
  // The shell stands for the agent's control process.
  const command = ['-c', '"$0" "$1" & wait', process.execPath, stuck];
  const parent = spawn('/bin/sh', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [id] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(id.toString());
  let isGone = false;
  t.after(() => {
    if (!isGone) process.kill(pid, 'SIGKILL');
  });
  parent.kill('SIGKILL');
  await processGone(pid, 30_000);
  isGone = true;
});
