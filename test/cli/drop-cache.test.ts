import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { Desk } from '../support/cli-run.js';

const program = fileURLToPath(new URL('../../../bin/bench-controller.js', import.meta.url));
/** In a mount namespace of its own a file lies over the switch: this machine keeps its cache. */
const over = 'mount --bind "$0" /proc/sys/vm/drop_caches && exec "$@"';

test('[SAFE-05] drop_cache uses the kernel’s switch only when the host’s operator lets it, and the results say so', (t) => {
  const desk = new Desk(t);
  const hostSwitch = desk.file('switch', '');
  try {
    execFileSync('unshare', ['-m', 'sh', '-c', over, hostSwitch, 'true'], { stdio: 'pipe' });
  } catch (thrown) {
    t.skip(`needs a mount namespace: ${String(thrown)}`);
    return;
  }
  const stage = { name: 's', mix: 'read', threads: 1, max_operations: 1, drop_cache: true };
  const config = desk.config({ stages: [stage] });
  const runs = [
    { flags: [], mechanism: /^psync; 4 of 4 files dropped from the page cache, /, written: '' },
    {
      flags: ['--allow-drop-caches'],
      mechanism: /^psync; the host's page cache dropped by the kernel's switch, /,
      written: '3',
    },
  ];
  for (const [index, { flags, mechanism, written }] of runs.entries()) {
    const run = ['run', config, '--results', desk.results, '--progress', 'none', ...flags];
    const argv = ['-m', 'sh', '-c', over, hostSwitch, process.execPath, program, ...run];
    const { status, stderr } = spawnSync('unshare', argv, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const [agent] = Object.values(desk.newest(index + 1).summary.stages[0]?.agents ?? {});
    assert.match(agent?.mechanism ?? '', mechanism);
    assert.equal(readFileSync(hostSwitch, 'latin1'), written);
  }
});
