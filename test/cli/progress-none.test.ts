import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { Desk } from '../support/cli-run.js';
import { eventually } from '../support/eventually.js';
import { Program } from '../support/program.js';

test('[RUN-09] with --progress none, too, an interrupted run says what it leaves behind, and where its results are', async (t) => {
  const desk = new Desk(t);
  const load = { name: 'load', duration: '60s', mix: { read: 100 }, block_size: '4KiB' };
  const config = desk.config({ stages: [load] });
  const argv = ['run', config, '--results', desk.results, '--progress', 'none'];
  const program = new Program('bench-controller', argv);
  t.after(() => program.stop());
  await eventually('a dataset is being made', 60_000, () =>
    readdirSync(desk.target).length > 0 ? true : undefined,
  );
  program.kill('SIGINT');
  assert.deepEqual(await program.ended, { code: 130, signal: null });
  assert.match(program.stderr, /^WARNING: Received Ctrl-C - aborting all agents$/m);
  assert.match(
    program.stderr,
    /^WARNING: The dataset stays on .*"bench-controller cleanup" removes it$/m,
  );
  assert.match(program.stdout, /^Results written to /m);
  assert.doesNotMatch(program.stderr, /^(?!WARNING: ).+/m, 'trouble and nothing else');
});
