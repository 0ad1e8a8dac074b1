/** Where an agent listens, and where it keeps what runs report, when nobody tells it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assignmentOf } from '../support/agent-driver.js';
import { startAgentProcess } from '../support/agent-process.js';
import { Desk } from '../support/cli-run.js';
import { Program } from '../support/program.js';
import { takenPort } from '../support/taken-port.js';
import { filesBelow } from '../support/temporary-folder.js';
import { TestController } from '../support/test-controller.js';

test('[CLI-01] without --listen an agent listens on port 7761 of all interfaces', async (t) => {
  // Whoever has it already, the agent finds it taken.
  await takenPort(t, 7761, '0.0.0.0');
  const program = new Program('bench-agent', []);
  t.after(() => program.stop());
  const [said] = await program.waitFor(/port \d+ is in use|listening on \S+/);
  assert.equal(said, 'port 7761 is in use');
});

test('[CLI-01] by default what runs report is kept in the system’s runtime folder, and with --no-spool nowhere', async (t) => {
  const runtime = new Desk(t).folder('runtime');
  const { program, port } = await startAgentProcess();
  await program.stop();
  // Whoever listens on any free port has no spool of its own.
  const kept = async (...argv: string[]): Promise<readonly string[]> => {
    const agent = await startAgentProcess(argv, { XDG_RUNTIME_DIR: runtime }, port);
    t.after(() => agent.program.stop());
    const controller = new TestController(port);
    await controller.dial();
    controller.lease().prepare(assignmentOf({ target: 'null:' }));
    await controller.hear('ready');
    await agent.program.stop();
    return filesBelow(runtime);
  };
  assert.deepEqual(await kept('--no-spool'), []);
  assert.match((await kept()).join(), new RegExp(`^muster/agent-.*${String(port)}/.*\\.spool$`));
});
