import assert from 'node:assert/strict';
import fs from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { historyName } from '../../../../src/agent/runner/dataset-layout.js';
import { runFilesJob } from '../../../../src/agent/runner/files-job.js';
import { RunControl } from '../../../../src/agent/runner/shared-memory.js';
import type { StageEnd } from '../../../../src/agent/runner/stage-load.js';
import { noChurn } from '../../../../src/agent/runner/stage-workers.js';
import { Generations } from '../../../../src/agent/runner/verify/generations.js';
import { KeptHistory } from '../../../../src/agent/runner/verify/kept-history.js';
import { WriteHistory } from '../../../../src/agent/runner/verify/write-history.js';
import type { Assignment } from '../../../../src/shared/model/assignment.js';
import { assignmentOf, stageOf } from '../../../support/runner-process.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const never = new AbortController().signal;
const home = process.cwd();

let folder: ReturnType<typeof temporaryFolder>;

beforeEach(() => {
  folder = temporaryFolder();
  process.chdir(folder.path);
});

afterEach(() => {
  process.chdir(home);
  folder.remove();
});

/** Two files of 64 blocks; other datasets by other fields. */
function verified(dataset: Partial<Assignment['dataset']> = {}): Assignment {
  return assignmentOf('/unused', [], {
    dataset: { verify: true, fileSizeBytes: 64 * 4096, use: { from: 0, to: 2 }, ...dataset },
  });
}

/** A run with this key, after it has looked at what the runs before have left. */
async function run(key: number, dataset: Partial<Assignment['dataset']> = {}) {
  const history = WriteHistory.of(verified(dataset), key);
  assert.ok(history);
  const problem = await history.load();
  const blocks = new Generations({ firstFile: 0, unitsPerFile: 64 }, 0, history);
  const write = (file: number, unit: number, isCertain = true): number => {
    const number = blocks.next();
    blocks.begin(file, unit, number);
    blocks.end(file, unit, number, isCertain);
    return number;
  };
  return { history, problem, blocks, write };
}

/** With another digit, or number, at this place. */
function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 2;
  return copy;
}

describe('WriteHistory', () => {
  it('tells later runs which write was the last, and of which run', async () => {
    const first = await run(100);
    assert.deepEqual([first.write(0, 3), first.write(1, 63), first.write(0, 3)], [1, 2, 3]);
    await first.history.keep(never);
    const second = await run(200);
    assert.equal(second.write(1, 63), 4, 'numbers go on');
    await second.history.keep(never);
    const third = await run(300);
    const known = (file: number, unit: number): number => third.blocks.known(file, unit);
    assert.deepEqual([known(0, 3), known(1, 63), known(0, 4)], [3, 4, 0]);
    assert.deepEqual(
      [1, 3, 4, 5].map((number) => third.blocks.runOf(number)),
      [100, 100, 200, 300],
    );
    assert.equal(third.problem, undefined);
  });

  it('does not judge what a run has left in doubt', async () => {
    const first = await run(100);
    first.write(0, 3);
    first.write(0, 3, false);
    first.blocks.begin(0, 5, first.blocks.next());
    await first.history.keep(never);
    const second = await run(200);
    assert.deepEqual([second.blocks.known(0, 3), second.blocks.known(0, 5)], [0, 0]);
  });

  it('is not taken for that of another dataset, nor when it is damaged', async () => {
    const first = await run(100);
    first.write(0, 3);
    await first.history.keep(never);
    const whole = fs.readFileSync(historyName);
    for (const [bytes, dataset] of [
      [whole, { hash: 'other' }],
      [whole, { fileSizeBytes: 32 * 4096 }],
      [whole.subarray(0, whole.length - 4), {}],
      [flipped(whole, 65_536 + 3 * 4), {}],
      [flipped(whole, whole.indexOf('"run":100') + 7), {}],
      [Buffer.from('x'.repeat(100)), {}],
      [Buffer.alloc(0), {}],
    ] as const) {
      fs.writeFileSync(historyName, bytes);
      const second = await run(200, dataset);
      assert.match(second.problem ?? '', /^\.muster-written/u);
      assert.equal(second.blocks.known(0, 3), 0);
      assert.equal(second.write(0, 3), 1);
    }
  });

  it('takes room on the disk only for what was written, and none for very large datasets', async () => {
    const large = { fileSizeBytes: 2 ** 34, use: { from: 0, to: 8 } };
    const first = await run(100, large);
    await first.history.keep(never);
    assert.equal(fs.statSync(historyName).size, 65_536 + 8 * 2 ** 22 * 4);
    assert.ok(fs.statSync(historyName).blocks * 512 <= 2 * 65_536);
    fs.unlinkSync(historyName);
    const larger = await run(100, { ...large, use: { from: 0, to: 17 } });
    assert.deepEqual([first.history.isKept, larger.history.isKept], [true, false]);
  });

  it('goes before a file is made anew, and stays while none has to be', async () => {
    const { dataset } = verified({ own: { from: 0, to: 2 } });
    const make = (): void => {
      const control = new RunControl().buffer;
      const progress = new SharedArrayBuffer(24);
      const one = {
        filesPerChunk: 2,
        salt: 0,
        worker: 0,
        workers: 1,
        owner: 1,
        refusesHoles: false,
      };
      const listed = [[0, 2]] as const;
      runFilesJob({ ...one, kind: 'make', dataset, listed, control, progress }, () => undefined);
    };
    make();
    const first = await run(100);
    await first.history.keep(never);
    make();
    assert.ok(fs.existsSync(historyName));
    fs.unlinkSync('data/f1');
    make();
    assert.ok(!fs.existsSync(historyName));
  });

  it('numbers that begin again stay those of their run', async () => {
    const first = await run(100);
    first.write(0, 3);
    await first.history.keep(never);
    const second = await run(200);
    const counter = new Int32Array(second.history.buffer);
    for (const [given, number] of [
      [0x3fff_fffe, 0x3fff_ffff],
      [0x3fff_ffff, 2],
      [-1, 8],
      [0, 9],
    ] as const) {
      counter[0] = given;
      assert.equal(second.blocks.next(), number);
      assert.equal(second.blocks.runOf(number), 200);
    }
  });

  it('there is none where several agents write to the same files, or nothing is verified', () => {
    const shared = { ...verified(), namespace: 'shared', agentCount: 2 } as const;
    assert.equal(WriteHistory.of(shared, 1), undefined);
    assert.equal(WriteHistory.of(verified({ verify: false }), 1), undefined);
    assert.ok(WriteHistory.of({ ...shared, agentCount: 1 }, 1));
  });
});

describe('KeptHistory', () => {
  const write = stageOf({ mix: [{ operation: 'write', weight: 1 }] });
  const whole = { churn: noChurn } as StageEnd;

  async function kept(signal = new AbortController().signal) {
    const first = await run(100);
    const lines: string[] = [];
    const emit = (event: { kind: string; line?: string }): void => {
      lines.push(event.line ?? event.kind);
    };
    const clock = new ManualClock();
    const parts = { writes: first.history, emit, clock, signal };
    return { ...first, lines, clock, keeper: new KeptHistory(parts, verified()) };
  }

  it('leaves no history while a stage writes, and the new one after it', async () => {
    const { keeper, write: writeBlock, lines } = await kept();
    writeBlock(0, 3);
    await keeper.during(write, () => Promise.resolve(whole));
    const before = fs.readFileSync(historyName);
    await keeper.during(stageOf(), () => {
      assert.ok(fs.existsSync(historyName), 'a stage that reads lets it stand');
      return Promise.resolve(whole);
    });
    await keeper.during(write, () => {
      assert.ok(!fs.existsSync(historyName));
      writeBlock(1, 1);
      return Promise.resolve(whole);
    });
    assert.notDeepEqual(fs.readFileSync(historyName), before);
    assert.deepEqual(fs.readdirSync('.'), [historyName]);
    assert.deepEqual(lines, []);
  });

  it('leaves none after a stage that was aborted, has failed, or whose threads may still write', async () => {
    const { keeper } = await kept();
    for (const end of [
      () => Promise.reject(new Error('a worker died')),
      () => Promise.resolve({ ...whole, churn: undefined }),
      () => Promise.resolve({ ...whole, failure: 'too many errors' }),
    ]) {
      await keeper.during(write, () => Promise.resolve(whole));
      assert.ok(fs.existsSync(historyName));
      await keeper.during(write, end).catch(() => undefined);
      assert.deepEqual(fs.readdirSync('.'), []);
    }
  });

  it('says so when it cannot be kept, or not in time; an abort needs no words', async () => {
    const { keeper, lines, clock, write: writeBlock } = await kept();
    fs.mkdirSync(`${historyName}.new`);
    await keeper.during(write, () => Promise.resolve(whole));
    assert.match(lines[0] ?? '', /^verify: later runs will not know what was written last: /u);
    fs.rmdirSync(`${historyName}.new`);

    writeBlock(0, 3);
    const late = keeper.during(write, () => Promise.resolve(whole));
    while (clock.armed === 0) await Promise.resolve();
    clock.advance(10_000);
    await late;
    assert.match(lines[1] ?? '', /forcing the data out took more than 10 s; with fsync: end/u);
    assert.deepEqual(fs.readdirSync('.'), []);

    const aborted = await kept(AbortSignal.abort());
    assert.equal(await aborted.keeper.during(write, () => Promise.resolve(whole)), whole);
    assert.deepEqual(aborted.lines, []);
    assert.deepEqual(fs.readdirSync('.'), []);
  });
});
