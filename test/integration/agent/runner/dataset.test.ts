import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Assignment } from '../../../../src/shared/model/assignment.js';
import { eventually } from '../../../support/eventually.js';
import { RunnerProcess, assignmentOf, stageOf } from '../../../support/runner-process.js';
import { filesBelow, temporaryFolder } from '../../../support/temporary-folder.js';

type Fields = Parameters<typeof assignmentOf>[2];

describe('runner and its dataset', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  const runners: RunnerProcess[] = [];

  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(async () => {
    await Promise.all(runners.splice(0).map((runner) => runner.kill()));
    folder.remove();
  });

  function runner(): RunnerProcess {
    const one = new RunnerProcess();
    runners.push(one);
    return one;
  }

  const assignment = (fields: Fields = {}): Assignment =>
    assignmentOf(folder.path, [stageOf({ durationMs: 50 })], fields);

  async function prepare(fields: Fields = {}): Promise<RunnerProcess> {
    const one = runner();
    one.prepare(assignment({ mode: 'prepare', ...fields }));
    await one.event('prepared');
    return one;
  }

  async function refusal(fields: Fields = {}, roots: readonly string[] = []) {
    const one = runner();
    one.prepare(assignment({ mode: 'prepare', ...fields }), roots);
    const { code, message } = await one.failure();
    return { code, message };
  }

  async function cleanUp(fields: Fields = {}) {
    const one = runner();
    one.prepare(assignment({ mode: 'cleanup', ...fields }));
    return one.event('cleaned');
  }

  const own = (...parts: readonly string[]): string => path.join(folder.path, 'ds1', '0', ...parts);

  it('[SAFE-01] makes marker, manifest and all files, and reports progress up to the total', async () => {
    const one = await prepare({ dataset: { directories: { width: 2, depth: 2 } } });
    assert.deepEqual(
      filesBelow(own()),
      [
        '.muster-dataset.json',
        '.muster-manifest-0.json',
        ...[0, 1, 2, 3, 4, 5, 6, 7].map(
          (i) => `data/d${String((i >> 1) % 2)}/d${String(i % 2)}/f${String(i)}`,
        ),
      ].sort(),
    );
    const marker = JSON.parse(fs.readFileSync(own('.muster-dataset.json'), 'utf8')) as object;
    assert.deepEqual(marker, {
      product: 'muster',
      version: 1,
      hash: 'a1b2c3',
      creator: 'tester@test',
      namespace: 'private',
      agents: 1,
      runId: '7f3a0000-test',
    });
    const manifest = JSON.parse(fs.readFileSync(own('.muster-manifest-0.json'), 'utf8')) as {
      complete: unknown;
    };
    assert.deepEqual(manifest.complete, [[0, 8]]);
    const { phase, filesDone, filesTotal, bytesDone, bytesTotal } =
      one.all('progress').at(-1) ?? {};
    assert.deepEqual(
      { phase, filesDone, filesTotal, bytesDone, bytesTotal },
      { phase: 'prepare', filesDone: 8, filesTotal: 8, bytesDone: 524_288, bytesTotal: 524_288 },
    );
  });

  it('[RES-05] says what it made, what it found, and how long that took', async () => {
    const said = (one: RunnerProcess) => {
      const [before, after] = one.all('marked');
      assert.deepEqual(before, { kind: 'marked' }, 'the folder is there, the files are not');
      assert.ok(after?.prepared);
      const { tookNs, ...counts } = after.prepared;
      // No file is made in less than 10 us.
      assert.ok(tookNs > counts.files * 10_000 && tookNs < 60e9, String(tookNs));
      return counts;
    };
    assert.deepEqual(said(await prepare()), { files: 8, bytes: 524_288, kept: 0 });
    for (const file of ['f2', 'f5']) fs.unlinkSync(own('data', file));
    const skip = { dataset: { skipPrepare: true } };
    const one = await prepare();
    assert.deepEqual(said(one), { files: 2, bytes: 131_072, kept: 6 });
    assert.deepEqual(said(await prepare(skip)), { files: 0, bytes: 0, kept: 8 });
    const none = { dataset: { hash: 'a1b2c3', name: 'ds2', prepare: 'none' as const } };
    assert.deepEqual(said(await prepare(none)), { files: 8, bytes: 0, kept: 0 });
  });

  it('[SAFE-01] refuses a folder that is not empty and has no marker, and leaves it as it is', async () => {
    fs.mkdirSync(own(), { recursive: true });
    fs.writeFileSync(own('thesis.txt'), 'precious');
    const { code, message } = await refusal();
    assert.equal(code, 'dataset');
    assert.match(message, /is not empty \(thesis\.txt\) and was not made by Muster/u);
    assert.deepEqual(filesBelow(folder.path), ['ds1/0/thesis.txt']);
  });

  it('[SAFE-01] refuses a folder of the dataset name that somebody else uses', async () => {
    fs.mkdirSync(path.join(folder.path, 'ds1', 'music'), { recursive: true });
    const { message } = await refusal();
    assert.match(message, /ds1 is not empty \(music\)/u);
    assert.deepEqual(fs.readdirSync(path.join(folder.path, 'ds1')), ['music']);
  });

  it('[SAFE-01] refuses another dataset and names both hashes', async () => {
    await prepare();
    for (const mode of ['prepare', 'cleanup'] as const) {
      const { code, message } = await refusal({ mode, dataset: { hash: 'ffff00' } });
      assert.equal(code, 'dataset');
      assert.match(message, /a1b2c3/u);
      assert.match(message, /ffff00/u);
    }
    assert.equal(filesBelow(own('data')).length, 8);
  });

  it('[SAFE-01] uses a kept dataset of the same hash again without writing it', async () => {
    await prepare();
    const times = (): readonly bigint[] =>
      filesBelow(own('data')).map(
        (name) => fs.statSync(own('data', name), { bigint: true }).mtimeNs,
      );
    const before = times();
    const again = await prepare();
    assert.equal(again.all('progress').at(-1)?.bytesDone, 0);
    const skipping = await prepare({ dataset: { skipPrepare: true } });
    assert.equal(skipping.all('failed').length, 0);
    assert.deepEqual(times(), before);
  });

  it('[SAFE-01] refuses a dataset that another run uses, and has it when that run is over or was killed', async () => {
    const first = runner();
    first.prepare(assignment());
    await first.event('ready');
    const other = { runId: 'another run' };
    for (const mode of ['prepare', 'cleanup'] as const) {
      const { code, message } = await refusal({ ...other, mode });
      assert.equal(code, 'dataset');
      assert.match(message, /ds1\/0 is in use by run 7f3a0000-test of tester@test on host /u);
    }
    assert.equal(filesBelow(own('data')).length, 8);
    first.tell({ kind: 'quit' });
    await first.exited;
    const marks = (): readonly string[] =>
      fs.readdirSync(own()).filter((name) => name.startsWith('.muster-in-use'));
    assert.deepEqual(marks(), []);
    const second = runner();
    second.prepare(assignment(other));
    await second.event('ready');
    await second.kill();
    assert.equal(marks().length, 1);
    const third = await prepare();
    assert.match(
      third
        .all('log')
        .map(({ line }) => line)
        .join(),
      /took over what run another run/u,
    );
    assert.deepEqual(marks(), []);
    await cleanUp();
  });

  it('[SAFE-01] makes again what an interrupted prepare left, and what is missing or has another size', async () => {
    await prepare();
    const manifest = own('.muster-manifest-0.json');
    const text = fs.readFileSync(manifest, 'utf8').replace('[[0,8]]', '[[0,3],[4,8]]');
    fs.writeFileSync(manifest, text);
    fs.writeFileSync(own('data', 'f3'), 'half written');
    fs.unlinkSync(own('data', 'f5'));
    fs.truncateSync(own('data', 'f6'), 7);
    const again = await prepare();
    assert.equal(again.all('progress').at(-1)?.bytesDone, 3 * 65_536);
    const sizes = filesBelow(own('data')).map((name) => fs.statSync(own('data', name)).size);
    assert.deepEqual(sizes, Array<number>(8).fill(65_536));
  });

  /** All of it at once, as far as the agent can see. */
  async function removeFrom(one: RunnerProcess): Promise<void> {
    const tasks = `/proc/${String(one.child.pid)}/task`;
    const stands = (task: string): boolean =>
      fs.readFileSync(`${tasks}/${task}/status`, 'utf8').includes('State:\tT');
    one.child.kill('SIGSTOP');
    await eventually(
      'all threads stopped',
      10_000,
      () => fs.readdirSync(tasks).every(stands) || undefined,
    );
    fs.rmSync(own(), { recursive: true });
    one.child.kill('SIGCONT');
  }

  it('[RUN-05] [SAFE-01] a folder that is removed while its files are made fails the agent, and hangs no thread', async () => {
    const one = runner();
    // So that each file needs a folder that is not there yet.
    const directories = { width: 200, depth: 2 };
    const all = { from: 0, to: 40_000 };
    const prepare = { threads: 3, blockSizeBytes: 4096, direct: false };
    const dataset = { directories, own: all, use: all, fileSizeBytes: 4096, prepare };
    one.prepare(assignment({ mode: 'prepare', dataset }));
    const some = own('data', 'd3', 'd0', 'f600');
    await eventually('many files', 30_000, () => fs.existsSync(some) || undefined);
    await removeFrom(one);
    const { message } = await one.failure();
    assert.match(message, /no such file|was removed/u);
    assert.doesNotMatch(message, /\n/u, 'one sentence');
  });

  it('[SAFE-01] [ENG-03] a folder that is removed during a stage fails the next one in a sentence: threads that it needs do not start', async () => {
    const one = runner();
    // The thread that is there opens nothing before it begins.
    const mix = [{ operation: 'stat', weight: 1 }] as const;
    const stages = [stageOf({ threads: 1, durationMs: 50 }), stageOf({ mix, threads: 4 })];
    one.prepare(assignmentOf(folder.path, stages));
    await one.event('ready');
    await removeFrom(one);
    await one.start(0);
    const { code, message } = await one.failure();
    assert.deepEqual(
      [code, message],
      ['dataset', 'the folder of the dataset was removed by somebody else: no thread starts in it'],
    );
  });

  it('[SAFE-01] a working directory that is gone before the threads of a run start is a failure in a sentence', async () => {
    const home = path.join(folder.path, 'home');
    fs.mkdirSync(home);
    const one = new RunnerProcess(0, ['env', '-C', home]);
    runners.push(one);
    await one.event('report');
    fs.rmdirSync(home);
    // Nothing is made: only the watchdog's thread asks for the directory.
    one.prepare(assignmentOf(folder.path, [stageOf()], { mode: 'check', target: 'null:' }));
    const { code, message } = await one.failure();
    assert.equal(code, 'dataset', message);
    assert.match(message, /^the folder of the dataset was removed by somebody else: [^\n]+$/u);
  });

  it('[SAFE-01] demands a complete dataset when it is not to prepare', async () => {
    const dataset = { skipPrepare: true };
    assert.match((await refusal({ dataset })).message, /run without --skip-prepare/u);
    assert.deepEqual(fs.readdirSync(folder.path), []);
    await prepare();
    fs.unlinkSync(own('data', 'f2'));
    assert.match((await refusal({ dataset })).message, /f2 is missing or has another size/u);
    fs.writeFileSync(own('.muster-manifest-0.json'), '{"cut off');
    assert.match((await refusal({ dataset })).message, /not complete \(0 of 8 files\)/u);
  });

  const writeAll = stageOf({
    mix: [{ operation: 'write', weight: 1 }],
    access: 'sequential',
    durationMs: undefined,
    maxBytes: 8 * 65_536,
    threads: 3,
  });
  const readSome = stageOf({ durationMs: undefined, maxOperations: 50 });

  it('[SAFE-01] with prepare none makes empty files; what a stage wrote counts as complete before the first one that reads', async () => {
    const none = { dataset: { prepare: 'none' } } as const;
    const one = runner();
    one.prepare(assignmentOf(folder.path, [writeAll, readSome], none));
    await one.event('ready', ({ stage }) => stage === 0);
    const manifest = (): unknown =>
      JSON.parse(fs.readFileSync(own('.muster-manifest-0.json'), 'utf8'));
    const is = { version: 1, hash: 'a1b2c3', agent: 0 };
    assert.deepEqual(manifest(), { ...is, complete: [], empty: [[0, 8]] });
    const sizes = (): readonly number[] =>
      filesBelow(own('data')).map((name) => fs.statSync(own('data', name)).size);
    assert.deepEqual(sizes(), Array<number>(8).fill(0));
    assert.match((await refusal({ dataset: { skipPrepare: true } })).message, /is not complete/u);
    await one.start(0);
    await one.event('ready', ({ stage }) => stage === 1);
    assert.deepEqual(sizes(), Array<number>(8).fill(65_536));
    assert.deepEqual(manifest(), { ...is, complete: [[0, 8]], written: true });
    await one.start(1);
    const { operations } = await one.event('stageResult', ({ stage }) => stage === 1);
    assert.deepEqual([operations[0]?.count, operations[0]?.errors], [50, []]);
    // Like any other dataset for the next run.
    const next = await prepare({ dataset: { skipPrepare: true } });
    assert.equal(next.all('failed').length, 0);
  });

  it('[SAFE-01] with prepare none refuses to read what no stage has written', async () => {
    const one = runner();
    const half = { ...writeAll, maxBytes: 4 * 65_536, threads: 1 };
    one.prepare(assignmentOf(folder.path, [half, readSome], { dataset: { prepare: 'none' } }));
    await one.start(0);
    const { code, message } = await one.failure();
    assert.equal(code, 'dataset');
    assert.match(
      message,
      /^stage "stage" would read what no stage has written \(.*data\/f4 is missing or has another size\)/u,
    );
  });

  it('with shift 1 each agent reads and verifies what the next one made, in its own folder’s neighbour', async () => {
    const read = { durationMs: undefined, maxOperations: 50, verify: true };
    const stages = [stageOf({ ...read, shift: 1 })];
    const both = [0, 1].map((agentIndex) => {
      const one = runner();
      const dataset = { verify: true };
      one.prepare(assignmentOf(folder.path, stages, { agentIndex, agentCount: 2, dataset }));
      return one;
    });
    for (const [agent, one] of both.entries()) {
      await one.event('ready');
      const pid = String(one.child.pid);
      const open = fs.readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
        try {
          return [fs.readlinkSync(`/proc/${pid}/fd/${fd}`)];
        } catch {
          return [];
        }
      });
      const data = open.filter((name) => name.includes('/data/f'));
      assert.ok(data.length >= 8);
      const neighbour = path.join(folder.path, 'ds1', String(1 - agent), 'data');
      assert.ok(
        data.every((name) => path.dirname(name) === neighbour),
        data.join(' '),
      );
    }
    for (const one of both) {
      await one.start(0);
      assert.deepEqual((await one.event('stageResult')).operations[0]?.errors, []);
      one.tell({ kind: 'cleanup' });
      await one.event('cleaned');
    }
    assert.deepEqual(fs.readdirSync(folder.path), []);
  });

  it('with shift 1 in a shared dataset each agent reads the next one’s part of the same files', async () => {
    const gets = [{ operation: 'get', weight: 1 }] as const;
    const limits = { durationMs: undefined, maxOperations: 4, threads: 1 };
    const stage = stageOf({ mix: gets, access: 'sequential', verify: true, ...limits, shift: 1 });
    const both = [0, 1].map((agentIndex) => {
      const one = runner();
      const dataset = { verify: true, own: { from: agentIndex * 4, to: agentIndex * 4 + 4 } };
      const shared = { namespace: 'shared', agentCount: 2, agentIndex } as const;
      one.prepare(assignmentOf(folder.path, [stage], { ...shared, dataset }));
      return one;
    });
    for (const one of both) await one.event('ready');
    // Only files of the next one's part are there any more.
    const data = path.join(folder.path, 'ds1', 'data');
    for (const [agent, one] of both.entries()) {
      const hidden = [0, 1, 2, 3].map((file) => path.join(data, `f${String(agent * 4 + file)}`));
      for (const name of hidden) fs.renameSync(name, `${name}.away`);
      await one.start(0);
      const { operations } = await one.event('stageResult');
      assert.deepEqual([operations[0]?.count, operations[0]?.errors], [4, []]);
      for (const name of hidden) fs.renameSync(`${name}.away`, name);
    }
  });

  it('[SAFE-01] says at the cleanup of a run that its files were taken away meanwhile, some or all', async () => {
    const cleaned = async (take: () => void): Promise<readonly string[]> => {
      const one = runner();
      one.prepare(assignment());
      await one.event('ready');
      take();
      await one.start(0);
      // What is open can still be read: no operation fails.
      assert.deepEqual((await one.event('stageResult')).operations[0]?.errors, []);
      one.tell({ kind: 'cleanup' });
      return (await one.event('cleaned')).warnings;
    };
    const words =
      'had been moved or removed by somebody else: stages may have worked on something else';
    assert.deepEqual(await cleaned(() => undefined), []);
    assert.deepEqual(
      await cleaned(() => {
        fs.unlinkSync(own('data', 'f3'));
      }),
      [`1 file of ${own()} ${words}`],
    );
    assert.deepEqual(
      await cleaned(() => {
        fs.rmSync(own(), { recursive: true });
      }),
      [`${own()} ${words}`],
    );
    // A cleanup on its own removes what there is.
    assert.deepEqual((await cleanUp()).warnings, []);
  });

  it('one file written by all agents in turns, and read by all: nothing is missing, nothing written twice', async () => {
    const strided = { strided: { chunkBytes: 8192, strideBytes: undefined } };
    const stages = [{ ...writeAll, access: strided, maxBytes: 131_072, threads: 2 }, readSome];
    const dataset = (agentIndex: number) => ({
      fileSizeBytes: 262_144,
      own: agentIndex === 0 ? { from: 0, to: 1 } : { from: 1, to: 1 },
      use: { from: 0, to: 1 },
      prepare: 'none' as const,
    });
    const both: RunnerProcess[] = [];
    for (const agentIndex of [0, 1]) {
      const one = runner();
      both.push(one);
      const shared = { namespace: 'shared', agentCount: 2, agentIndex } as const;
      one.prepare(assignmentOf(folder.path, stages, { ...shared, dataset: dataset(agentIndex) }));
      await one.event(agentIndex === 0 ? 'marked' : 'ready');
    }
    for (const stage of [0, 1]) {
      for (const one of both) await one.event('ready', (event) => event.stage === stage);
      for (const one of both) await one.start(stage);
      for (const one of both) {
        const { operations } = await one.event('stageResult', (event) => event.stage === stage);
        assert.deepEqual(
          [operations[0]?.count, operations[0]?.errors],
          [stage === 0 ? 32 : 50, []],
        );
      }
    }
    const content = fs.readFileSync(path.join(folder.path, 'ds1/data/f0'));
    assert.equal(content.length, 262_144);
    const blocks = Array.from({ length: 64 }, (_, b) => content.subarray(b * 4096, (b + 1) * 4096));
    assert.equal(new Set(blocks.map((block) => block.toString('hex'))).size, 64, 'each its own');
    assert.ok(blocks.every((block) => block.some((byte) => byte !== 0)));
  });

  it('[SAFE-02] does not take over what lies at a name of its own but is no file', async () => {
    await prepare();
    fs.rmSync(own('.muster-manifest-0.json'));
    fs.unlinkSync(own('data', 'f1'));
    const precious = path.join(folder.path, 'precious');
    fs.writeFileSync(precious, 'precious');
    fs.symlinkSync(precious, own('data', 'f1'));
    const { code, message } = await refusal();
    assert.equal(code, 'target');
    assert.match(
      message,
      /cannot create data\/f1 of dataset "ds1": file already exists \(EEXIST\)/u,
    );
    assert.equal(fs.readFileSync(precious, 'utf8'), 'precious');
  });

  it('[SAFE-03] removes exactly what it made', async () => {
    fs.writeFileSync(path.join(folder.path, 'mine.txt'), 'mine');
    await prepare({ dataset: { directories: { width: 3, depth: 1 } } });
    const { files, warnings } = await cleanUp({ dataset: { directories: { width: 3, depth: 1 } } });
    assert.equal(files, 8);
    assert.deepEqual(warnings, []);
    assert.deepEqual(fs.readdirSync(folder.path), ['mine.txt']);
    assert.deepEqual((await cleanUp()).files, 0, 'and nothing the second time');

    const second = { agentIndex: 1, agentCount: 2 };
    await prepare(second);
    assert.equal((await cleanUp(second)).files, 8);
    assert.deepEqual(fs.readdirSync(folder.path), ['mine.txt'], 'its own folder goes, too');
  });

  it('[SAFE-03] leaves files it did not make, and says that the folder was kept', async () => {
    await prepare();
    fs.writeFileSync(own('notes.txt'), 'mine');
    fs.writeFileSync(own('data', 'more.txt'), 'mine');
    const { files, warnings } = await cleanUp();
    assert.equal(files, 8);
    assert.match(warnings[0] ?? '', /was kept: it still holds data\/more\.txt, notes\.txt/u);
    assert.deepEqual(filesBelow(own()), ['.muster-dataset.json', 'data/more.txt', 'notes.txt']);
  });

  it('[SAFE-03] leaves what somebody put into a folder of a stage, or made by a name of ours, and removes the rest', async () => {
    await prepare();
    fs.unlinkSync(own('data', 'f3'));
    for (const name of ['data/f3', 'churn/0/0/d0', 'churn/0/0/d1', 'churn/0/0/p7']) {
      fs.mkdirSync(own(name), { recursive: true });
    }
    fs.writeFileSync(own('churn', '0', '0', 'd0', 'notes.txt'), 'mine');
    fs.writeFileSync(own('churn', '0', '0', 'd8'), 'mine');
    fs.writeFileSync(own('churn', '0', '0', 'p1'), 'put');
    const { files, warnings } = await cleanUp();
    assert.equal(files, 7 + 2, 'seven of the dataset, a file that was put, and an empty folder');
    assert.match(
      warnings[0] ?? '',
      /was kept: it still holds churn\/0\/0\/d0\/notes\.txt, churn\/0\/0\/d8, churn\/0\/0\/p7 …/u,
    );
    const left = ['.muster-dataset.json', 'churn/0/0/d0/notes.txt', 'churn/0/0/d8'];
    assert.deepEqual(filesBelow(own()), left);
    assert.ok(fs.statSync(own('data', 'f3')).isDirectory());
    assert.ok(fs.statSync(own('churn', '0', '0', 'p7')).isDirectory());
  });

  it('[SAFE-03] removes what a crash left of its own bookkeeping', async () => {
    await prepare();
    for (const name of [
      '.muster-manifest-0.json.new',
      '.muster-written.new',
      '.muster-here.json',
    ]) {
      fs.writeFileSync(own(name), '{');
    }
    assert.deepEqual((await cleanUp()).warnings, []);
    assert.deepEqual(fs.readdirSync(folder.path), []);
  });

  it('[SAFE-03] removes nothing from a folder without a marker', async () => {
    fs.mkdirSync(own('data'), { recursive: true });
    fs.writeFileSync(own('data', 'f0'), 'mine');
    const { files, warnings } = await cleanUp();
    assert.equal(files, 0);
    assert.match(warnings[0] ?? '', /has no marker of Muster: nothing in it was removed/u);
    assert.deepEqual(filesBelow(own()), ['data/f0']);
  });

  it('[SAFE-03] never follows a symbolic link out of the dataset', async () => {
    await prepare();
    const outside = path.join(folder.path, 'outside');
    fs.renameSync(own('data'), outside);
    fs.symlinkSync(outside, own('data'));
    fs.mkdirSync(own('churn', '0'), { recursive: true });
    fs.symlinkSync(outside, own('churn', '0', '0'));
    fs.writeFileSync(path.join(outside, 'p1'), 'mine');
    const { files } = await cleanUp();
    assert.equal(files, 0);
    assert.equal(filesBelow(outside).length, 9);
  });

  it('[SAFE-03] removes what stages left, in the same run and at the next prepare', async () => {
    const put = [{ operation: 'put', weight: 1 }] as const;
    const stages = [stageOf({ mix: put, durationMs: undefined, maxOperations: 30 })];
    const first = runner();
    await first.run(assignmentOf(folder.path, stages));
    assert.equal(filesBelow(own('churn')).length, 30);
    const second = runner();
    const [result] = await second.run(assignmentOf(folder.path, stages));
    assert.deepEqual(result?.operations[0]?.errors, [], 'numbers begin anew without a collision');
    second.tell({ kind: 'cleanup' });
    assert.equal((await second.event('cleaned')).files, 38);
    assert.deepEqual(filesBelow(folder.path), []);
  });

  it('[SAFE-04] refuses targets outside of its roots, in the folders of the system, and behind links to them', async () => {
    assert.match((await refusal({}, ['/mnt'])).message, /outside of what this agent allows/u);
    for (const target of ['/etc', '/etc/muster', '/', '/proc/self']) {
      const { code, message } = await refusal({ target });
      assert.equal(code, 'target');
      assert.match(message, /target/u);
    }
    fs.symlinkSync('/etc', path.join(folder.path, 'link'));
    const target = path.join(folder.path, 'link');
    assert.match((await refusal({ target }, [folder.path])).message, /\/etc is refused/u);
    fs.symlinkSync('/var', path.join(folder.path, 'out'));
    const out = path.join(folder.path, 'out');
    assert.match((await refusal({ target: out }, [folder.path])).message, /outside of what/u);
    const allowed = runner();
    allowed.prepare(assignment({ mode: 'prepare' }), [folder.path]);
    await allowed.event('prepared');
  });

  it('[SAFE-04] refuses a dataset folder that is a link, and a name that leads elsewhere', async () => {
    const elsewhere = path.join(folder.path, 'elsewhere');
    fs.mkdirSync(elsewhere);
    fs.symlinkSync(elsewhere, path.join(folder.path, 'ds1'));
    assert.match((await refusal()).message, /is not a folder \(or a link to one\)/u);
    assert.deepEqual(fs.readdirSync(elsewhere), []);
    for (const name of ['../x', 'a/b', '..', '']) {
      assert.equal((await refusal({ dataset: { name } })).code, 'config', name);
    }
  });

  it('names a target that is missing, or is a file', async () => {
    const missing = path.join(folder.path, 'nothing');
    assert.match((await refusal({ target: missing })).message, /nothing does not exist/u);
    const file = path.join(folder.path, 'file');
    fs.writeFileSync(file, '');
    assert.match((await refusal({ target: file })).message, /is not a folder/u);
    assert.match((await refusal({ target: 'tape://1' })).message, /no engine for "tape:"/u);
  });

  it('[SAFE-01] refuses before anything is made when the dataset cannot fit, so that a smaller one can be', async () => {
    const fileSizeBytes = 2 ** 50;
    const { code, message } = await refusal({ dataset: { fileSizeBytes } });
    assert.equal(code, 'space');
    assert.match(message, /needs 8\.0 PiB more on .*, but only [\d.]+ [MGTP]iB are free/u);
    assert.deepEqual(fs.readdirSync(folder.path), []);
    await prepare({ dataset: { hash: 'smaller' } });
  });

  it('refuses stages that the dataset or the engine cannot serve', async () => {
    const one = runner();
    const stage = stageOf({ blockSizeBytes: 1_048_576, name: 'big' });
    one.prepare(assignmentOf(folder.path, [stage]));
    const { code, message } = await one.failure();
    assert.equal(code, 'config');
    assert.match(
      message,
      /stage "big": block_size \(1048576\) is larger than the dataset's files/u,
    );
    assert.deepEqual(fs.readdirSync(folder.path), []);
  });

  it('shares one dataset: agent 0 marks it, all make their part, all use all', async () => {
    const common = { namespace: 'shared', agentCount: 2 } as const;
    const of = (agentIndex: number, mode: Assignment['mode']): Assignment =>
      assignment({
        ...common,
        agentIndex,
        mode,
        dataset: { own: { from: agentIndex * 4, to: agentIndex * 4 + 4 } },
      });
    const [first, second] = [runner(), runner()];
    second.prepare(of(1, 'prepare'));
    first.prepare(of(0, 'prepare'));
    await first.event('marked');
    await Promise.all([first.event('prepared'), second.event('prepared')]);
    assert.equal(second.all('marked').length, 2, 'the dataset stays there, too');
    assert.equal(filesBelow(path.join(folder.path, 'ds1', 'data')).length, 8);

    const checking = runner();
    const skip = of(1, 'prepare');
    checking.prepare({ ...skip, dataset: { ...skip.dataset, skipPrepare: true } });
    await checking.event('prepared');

    const [one, two] = [runner(), runner()];
    const cleaned = { kind: 'cleaned', files: 4, warnings: [] };
    two.prepare(of(1, 'cleanup'));
    assert.deepEqual(await two.event('cleaned'), cleaned, 'the folder is for agent 0 to remove');
    one.prepare(of(0, 'cleanup'));
    assert.deepEqual(await one.event('cleaned'), cleaned);
    assert.deepEqual(fs.readdirSync(folder.path), []);
  });

  it('in a shared dataset is not ready before the files of the other agents are complete', async () => {
    const of = (agentIndex: number): Assignment =>
      assignment({
        namespace: 'shared',
        agentCount: 2,
        agentIndex,
        dataset: { own: { from: agentIndex * 4, to: agentIndex * 4 + 4 } },
      });
    const [first, second] = [runner(), runner()];
    first.prepare(of(0));
    await first.event('marked');
    const waits = await first.event('progress', ({ phase }) => phase === 'wait');
    assert.deepEqual([waits.filesDone, waits.filesTotal], [4, 8]);
    assert.equal(first.all('ready').length, 0);
    second.prepare(of(1));
    await Promise.all([first.event('ready'), second.event('ready')]);
  });

  it('finds that a target is not shared when the marker of agent 0 does not show', async () => {
    const { code, message } = await refusal({
      namespace: 'shared',
      agentCount: 2,
      agentIndex: 1,
      dataset: { own: { from: 4, to: 8 } },
    });
    assert.equal(code, 'target');
    assert.match(message, /is not shared with agent 0/u);
    assert.deepEqual(fs.readdirSync(folder.path), []);
  });

  it('[RUN-09] stops preparing at once when aborted, and the next prepare goes on where it was', async () => {
    const dataset = {
      fileSizeBytes: 2 ** 20,
      own: { from: 0, to: 3000 },
      use: { from: 0, to: 3000 },
    };
    const one = runner();
    one.prepare(assignment({ mode: 'prepare', dataset }));
    await one.event('progress', ({ filesDone }) => filesDone > 0);
    one.tell({ kind: 'abort', reason: 'Ctrl-C', graceMs: 60_000 });
    await one.event('aborted');
    assert.equal(one.all('prepared').length, 0);
    const manifest = fs.readFileSync(own('.muster-manifest-0.json'), 'utf8');
    assert.doesNotMatch(manifest, /"complete":\[\]/u);
    const { files } = await cleanUp({ dataset });
    assert.ok(files > 0 && files < 3000, 'also of files that were only begun');
    assert.deepEqual(fs.readdirSync(folder.path), []);
  });

  it('checks a target and leaves nothing behind', async () => {
    const one = runner();
    one.prepare(assignment({ mode: 'check' }));
    const report = JSON.parse((await one.event('checked')).report) as Record<string, unknown>;
    assert.deepEqual(
      { problems: report['problems'], writable: report['writable'], dataset: report['dataset'] },
      { problems: [], writable: true, dataset: 'absent' },
    );
    assert.equal(report['realPath'], folder.path);
    assert.ok(Number(report['freeBytes']) > 0);
    assert.equal(typeof (report['mount'] as { type: unknown }).type, 'string');
    assert.deepEqual(fs.readdirSync(folder.path), []);
    const other = runner();
    other.prepare(assignment({ mode: 'check', target: '/etc' }));
    const refused = JSON.parse((await other.event('checked')).report) as { problems: string[] };
    assert.match(refused.problems[0] ?? '', /\/etc is never a target/u);
    const link = path.join(folder.path, 'link');
    fs.symlinkSync('/etc', link);
    const third = runner();
    third.prepare(assignment({ mode: 'check', target: link }));
    const behind = JSON.parse((await third.event('checked')).report) as { problems: string[] };
    assert.match(behind.problems[0] ?? '', /\/etc is refused/u);
  });

  describe('on a small file system', () => {
    let isMounted = false;

    beforeEach(() => {
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder.path], {
          stdio: 'ignore',
        });
        isMounted = true;
      } catch {
        isMounted = false;
      }
    });
    afterEach(async () => {
      await Promise.all(runners.splice(0).map((runner) => runner.kill()));
      if (isMounted) execFileSync('umount', [folder.path]);
    });

    it('[ENG-03] counts a full disk as ENOSPC and goes on', async (context) => {
      if (!isMounted) {
        context.skip('mounting a tmpfs needs root');
        return;
      }
      const put = [{ operation: 'put', weight: 1 }] as const;
      const stage = stageOf({ mix: put, durationMs: undefined, maxOperations: 200 });
      const [result] = await runner().run(assignmentOf(folder.path, [stage]));
      const stats = result?.operations[0];
      assert.ok(stats && stats.count > 10 && stats.count < 60);
      const [full] = stats.errors;
      assert.equal(full?.code, 'ENOSPC');
      assert.equal(full.count + stats.count, 200);
    });

    it('names a disk that runs full while preparing', async (context) => {
      if (!isMounted) {
        context.skip('mounting a tmpfs needs root');
        return;
      }
      // One byte each fits by the count of free bytes, but every file takes a page.
      const files = { from: 0, to: 1500 };
      const one = runner();
      one.prepare(
        assignment({
          mode: 'prepare',
          stages: [],
          dataset: { fileSizeBytes: 1, own: files, use: files },
        }),
      );
      const { code, message } = await one.failure();
      assert.equal(code, 'space');
      assert.match(message, /of dataset "ds1": no space left on device \(ENOSPC\)/u);
    });
  });
});
