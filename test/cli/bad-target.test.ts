import assert from 'node:assert/strict';
import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAgentProcess } from '../support/agent-process.js';
import { assertOneSentence, controller, Desk } from '../support/cli-run.js';
import { Program } from '../support/program.js';

const stages = [{ name: 'a', mix: 'write', duration: '1s' }];

test('[SAFE-04] [CLI-02] a target that is missing, a file, or a link into /etc: exit 3, said with the reason', async (t) => {
  const desk = new Desk(t);
  const link = join(desk.path, 'link');
  symlinkSync('/etc', link);
  const rows: readonly (readonly [string, RegExp])[] = [
    [
      join(desk.path, 'none'),
      /target .*none does not exist on this agent: create it, or mount it\n/,
    ],
    [desk.file('file', ''), /target .*file is not a folder\n/],
    [link, /target \/etc is refused: \/etc and everything below it belong to the system\n/],
  ];
  for (const [index, [target, sentence]] of rows.entries()) {
    const shown = await desk.run(desk.config({ target, stages }));
    assertOneSentence(shown, 3, sentence);
    const { summary } = desk.newest(index + 1);
    assert.deepEqual([summary.outcome, summary.exit_code], ['failed', 3]);
    assert.match(summary.reason ?? '', /^Agent agent-1 failed: target /);
  }
  assert.ok(!readdirSync('/etc').includes('ds'), 'nothing was made in /etc');
});

test('[SAFE-01] a folder with somebody else’s files is refused, named, and left as it is', async (t) => {
  const desk = new Desk(t);
  desk.folder('target/ds/0');
  const precious = desk.file('target/ds/0/precious.txt', 'mine');
  for (const command of ['run', 'prepare'] as const) {
    const shown = await desk.command(command, desk.config({ stages }));
    assertOneSentence(
      shown,
      3,
      /ds\/0 is not empty \(precious\.txt\) and was not made by Muster: use another target or dataset name\n/,
    );
  }
  const cleaned = await desk.command('cleanup', desk.config({ stages }));
  assert.equal(cleaned.code, 0);
  assert.match(cleaned.stderr, /ds\/0 has no marker of Muster: nothing in it was removed\n/);
  assert.equal(readFileSync(precious, 'utf8'), 'mine');
  assert.deepEqual(readdirSync(join(desk.target, 'ds/0')), ['precious.txt']);
});

test('[CLI-02] a target on a read-only file system: exit 3 and the reason; check finds it beforehand', async (t) => {
  const desk = new Desk(t);
  const target = await desk.disk('read-only', 'ro');
  if (target === undefined) return;
  const config = desk.config({ target, stages });
  const shown = await desk.run(config);
  assertOneSentence(shown, 3, /Agent agent-1 failed: .*read-only file system/);
  const checked = await controller('check', config);
  assert.equal(checked.code, 3, checked.stdout);
  assert.match(checked.stdout, /^agent-1: .*read-only file system/m);
  assert.match(checked.stdout, /^0\/1 agents are fit to run$/m);
});

test('[CLI-02] a dataset that does not fit: exit 3 before a byte of it is written', async (t) => {
  const desk = new Desk(t);
  const target = await desk.disk('small', 'size=8m');
  if (target === undefined) return;
  const dataset = { name: 'ds', files: 4, file_size: '16MiB' };
  const shown = await desk.run(desk.config({ target, dataset, stages }));
  assertOneSentence(shown, 3, /Agent agent-1 failed: .*(free|space)/);
});

test('[SAFE-04] --root confines targets: inside is served, outside and by a link is refused', async (t) => {
  const desk = new Desk(t);
  const { program, address } = await startAgentProcess(['--root', desk.target]);
  t.after(() => program.stop());
  const outside = desk.folder('outside');
  symlinkSync(outside, join(desk.target, 'way-out'));
  const small = [{ name: 'a', mix: 'write', max_operations: 10 }];
  for (const target of [outside, join(desk.target, 'way-out')]) {
    const shown = await desk.run(desk.config({ target, stages: small }), '--agents', address);
    assertOneSentence(shown, 3, /Agent agent-1 failed: target .*outside .*--root/);
    assert.deepEqual(readdirSync(outside), []);
  }
  const inside = await desk.run(desk.config({ stages: small }), '--agents', address);
  assert.equal(inside.code, 0, inside.stderr);
});

test('[RUN-02] two names of one agent are refused before anything runs', async (t) => {
  const desk = new Desk(t);
  const { program, port } = await startAgentProcess();
  t.after(() => program.stop());
  const twins = `127.0.0.1:${String(port)},localhost:${String(port)}`;
  const shown = await desk.run(desk.config({ stages }), '--agents', twins);
  assertOneSentence(
    shown,
    3,
    /127\.0\.0\.1:\d+ and localhost:\d+ are the same agent: name it once\n/,
  );
  assert.deepEqual(readdirSync(desk.target), []);
});

test('[RUN-26] a port in use: the agent names it, grpc prints nothing of its own', async (t) => {
  const { program, address } = await startAgentProcess();
  t.after(() => program.stop());
  const second = new Program('bench-agent', ['--listen', address]);
  const { code } = await second.ended;
  assert.equal(code, 2);
  assert.match(second.stderr, /^ERROR: Cannot listen on 127\.0\.0\.1:\d+: port \d+ is in use/);
});
