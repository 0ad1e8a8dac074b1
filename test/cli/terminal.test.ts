/** What the programs draw on a terminal, and the flags that keep them from it. A pipe shows nothing of either. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Desk, printed } from '../support/cli-run.js';
import { onTerminal, Program } from '../support/program.js';

const colour = /\x1b\[\d+m/;
const cursor = /\x1b\[\?25l/;

/** Nobody listens there: the shortest run that ends with a summary. */
function vainRun(desk: Desk): string[] {
  const stages = [{ name: 's', mix: 'read', max_operations: 1 }];
  const given = { agents: ['127.0.0.1:1'], timeouts: { connect: '100ms', reconnect_window: '0' } };
  const config = desk.config({ target: 'null:', dataset: undefined, stages, ...given });
  return ['run', config, '--results', desk.results];
}

const shown = (argv: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  printed(new Program('bench-controller', [...argv], { ...onTerminal, ...env }));

test('[CLI-01] run, report and recover are in colour on a terminal, and not with --no-color or NO_COLOR', async (t) => {
  const desk = new Desk(t);
  const run = vainRun(desk);
  await shown(run);
  const folder = desk.newest().path;
  const commands = [run, ['report', folder], ['recover', folder]];
  for (const argv of commands) {
    const [name = ''] = argv;
    const coloured = await shown(argv);
    assert.match(coloured.stdout, colour, name + coloured.stderr);
    assert.match(coloured.stdout, /FAILED/, name);
    if (name === 'run') assert.match(coloured.stderr, colour, 'its bars, too');
    const plain = [await shown([...argv, '--no-color']), await shown(argv, { NO_COLOR: '1' })];
    for (const { stdout, stderr } of plain) assert.doesNotMatch(stdout + stderr, colour, name);
  }
});

test('[CLI-01] --progress says how a run is shown: bars by default on a terminal that can draw, lines on another', async (t) => {
  const desk = new Desk(t);
  const run = vainRun(desk);
  const isDrawn = async (argv: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    cursor.test((await shown([...run, ...argv], env)).stderr);
  const dumb = { TERM: 'dumb' };
  assert.deepEqual(
    [
      await isDrawn([]),
      await isDrawn(['--progress', 'lines']),
      await isDrawn([], dumb),
      await isDrawn(['--progress', 'bars'], dumb),
    ],
    [true, false, false, true],
  );
});
