import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from './check-imports.js';

const runner = path.join(repositoryRoot, 'dist/test/run.js');

interface Ended {
  code: number;
  lines: string[];
  text: string;
}

function runTests(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [runner, ...args], (error, stdout, stderr) => {
      const text = stdout + stderr;
      resolve({ code: Number(error?.code ?? 0), lines: text.trimEnd().split('\n'), text });
    });
  });
}

describe('the test runner', () => {
  let folder: string;
  const testFile = async (name: string, body: string): Promise<string> => {
    const file = path.join(folder, `${name}.test.js`);
    await writeFile(file, `import { test, describe } from 'node:test';\n${body}`);
    return file;
  };
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'muster-runner-'));
    await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }');
  });
  after(() => rm(folder, { recursive: true }));

  test('counts tests and not the groups around them', async () => {
    const file = await testFile(
      'groups',
      `test('alone', () => {});
       describe('group', () => { test('in it', () => {}); test('also', () => {}); });
       test('parent', async (t) => { await t.test('child', () => {}); });`,
    );
    const { code, lines } = await runTests(file);
    assert.deepEqual([lines.at(-1), code], ['4 passed, 0 failed', 0]);
  });

  test('shows a failure in full, once, with what its file printed, and exits 1', async () => {
    const file = await testFile(
      'failing',
      `console.log('seed 42');
       test('parent', async (t) => {
         await t.test('fine', () => {});
         await t.test('broken', () => { throw new Error('broke', { cause: 'the reason' }); });
       });`,
    );
    const { code, lines, text } = await runTests(file);
    assert.deepEqual([lines.at(-1), code], ['1 passed, 1 failed', 1]);
    for (const part of ['parent › broken', 'Error: broke', 'the reason', 'seed 42']) {
      assert.equal(text.split(part).length, 2, `${part} once in:\n${text}`);
    }
  });

  test('counts a skipped test and says why it was left out', async () => {
    const file = await testFile(
      'skipping',
      `test('runs', () => {}); test('needs netem', { skip: 'no netem in this kernel' }, () => {});`,
    );
    const { code, lines, text } = await runTests(file);
    assert.deepEqual([lines.at(-1), code], ['1 passed, 0 failed, 1 skipped', 0]);
    assert.match(text, /needs netem: no netem in this kernel/);
  });

  test('fails a file that has no test, that dies, or that does not compile', async () => {
    const empty = await testFile('empty', '');
    const dies = await testFile('dies', `test('ok', () => {}); setTimeout(() => process.exit(3));`);
    const broken = await testFile('broken', 'import "./nowhere.js";');
    const { code, lines, text } = await runTests(empty, dies, broken);
    assert.deepEqual([lines.at(-1), code], ['1 passed, 3 failed', 1]);
    assert.match(text, /It has no test/);
    assert.match(text, /the process ended with 3/);
    assert.match(text, /nowhere\.js/);
  });

  test('kills a file that does not end, and names the test it was in', async () => {
    const file = await testFile(
      'hanging',
      `test('quick', () => {});
       test('stuck', () => new Promise(() => { setInterval(() => {}, 1000); }));`,
    );
    const { code, lines, text } = await runTests('--timeout-s', '2', file);
    assert.deepEqual([lines.at(-1), code], ['1 passed, 1 failed', 1]);
    assert.match(text, /not finished: stuck/);
  });

  const needsCpuTime = existsSync('/proc/thread-self/schedstat') ? false : 'needs schedstat';
  test(
    '[RPC-04] fails, whatever was tested, when a program of a test had a turn of its control loop longer than 300 ms',
    { skip: needsCpuTime },
    async () => {
      await writeFile(
        path.join(folder, 'bench-agent.js'),
        `import net from 'node:net';
         const server = net.createServer().listen(0, () => setTimeout(() => {
           const { user, system } = process.cpuUsage();
           const busyMs = Number(process.argv[2]);
           for (let now = process.cpuUsage(); now.user + now.system < user + system + busyMs * 1000;)
             now = process.cpuUsage();
           server.close();
         }, 200));`,
      );
      const program = pathToFileURL(path.join(repositoryRoot, 'dist/test/support/program.js')).href;
      const file = await testFile(
        'turning',
        `import { Program } from ${JSON.stringify(program)};
         for (const ms of ['100', '500'])
           test(ms, () => new Program(new URL('bench-agent.js', import.meta.url), [ms]).ended);`,
      );
      const { code, lines, text } = await runTests(file);
      assert.deepEqual([lines.at(-1), code], ['2 passed, 1 failed', 1]);
      assert.match(
        text,
        /a turn of a control loop took \d{3} ms of CPU .*\n {4}bench-agent.js 500\n/,
      );
    },
  );

  test('fails when nothing ran, or a suite is empty or a file is missing', async () => {
    for (const args of [[], ['no-such-suite'], [path.join(folder, 'gone.test.js')]]) {
      const { code, lines } = await runTests(...args);
      assert.deepEqual([lines.at(-1), code], ['0 passed, 1 failed', 1], args.join(' '));
    }
  });
});
