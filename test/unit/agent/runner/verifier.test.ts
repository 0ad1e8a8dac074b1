import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Operation } from '../../../../src/agent/engines/engine.js';
import { ClockBase } from '../../../../src/agent/runner/clock-base.js';
import { alignedBuffer } from '../../../../src/agent/runner/content/aligned-buffer.js';
import { Generations } from '../../../../src/agent/runner/verify/generations.js';
import { Pattern } from '../../../../src/agent/runner/verify/pattern.js';
import { PreparedPattern } from '../../../../src/agent/runner/verify/pattern-content.js';
import { ownerOf } from '../../../../src/agent/runner/verify/verification.js';
import { Verifier } from '../../../../src/agent/runner/verify/verifier.js';
import type { VerifierOptions } from '../../../../src/agent/runner/verify/verifier.js';

const block = 4096;
const fileBytes = 16 * block;
const shape = { firstFile: 0, unitsPerFile: 16 };

const operationOf = (fields: Partial<Operation>): Operation => ({
  kind: 'read',
  file: 0,
  offset: 0,
  bytes: block,
  lane: 0,
  entry: 0,
  to: 0,
  ...fields,
});

/** Two files in memory, and lanes that write and read them through verifiers as a Lane does. */
class Bench {
  readonly files = [0, 1].map(() => Buffer.alloc(fileBytes));
  readonly lines: string[] = [];
  readonly generations = new SharedArrayBuffer((2 * 16 + 1) * 4);

  constructor() {
    const pattern = new PreparedPattern(new Pattern(77, 1, 1), 500, fileBytes);
    for (const [file, data] of this.files.entries()) {
      const at = pattern.take(operationOf({ file, kind: 'write' }), pattern.bytes, fileBytes);
      data.set(pattern.bytes.subarray(at, at + fileBytes));
    }
  }

  lane(fields: Partial<VerifierOptions> = {}, stage = 0): Lane {
    const verifier = new Verifier({
      pattern: new Pattern(77, 1, 1),
      run: 600,
      generations: new Generations(shape, stage, {
        buffer: this.generations,
        runs: [{ from: 1, run: 600 }],
      }),
      checksReads: true,
      clock: new ClockBase(),
      pathOf: (file) => `data/f${String(file)}`,
      say: (line) => this.lines.push(line),
      units: 16,
      ...fields,
    });
    return new Lane(this, verifier);
  }
}

class Lane {
  readonly #bench: Bench;
  readonly verifier: Verifier;
  readonly buffer = alignedBuffer(fileBytes);

  constructor(bench: Bench, verifier: Verifier) {
    this.#bench = bench;
    this.verifier = verifier;
  }

  write(file: number, offset: number, bytes = block): void {
    const operation = operationOf({ kind: 'write', file, offset, bytes });
    this.verifier.before(operation, this.buffer);
    this.#bench.files[file]?.set(this.buffer.subarray(0, bytes), offset);
    assert.ok(this.verifier.after(operation, this.buffer, true));
  }

  /** @returns whether it was right */
  read(file: number, offset: number, bytes = block, meanwhile = (): void => undefined): boolean {
    const operation = operationOf({ file, offset, bytes });
    this.verifier.before(operation, this.buffer);
    this.buffer.set(this.#bench.files[file]?.subarray(offset, offset + bytes) ?? []);
    meanwhile();
    return this.verifier.after(operation, this.buffer, true);
  }
}

/** What a read of `data/f0` at 8192 finds after `harm`. */
function found(harm: (bench: Bench, lane: Lane) => void): string {
  const bench = new Bench();
  const lane = bench.lane();
  harm(bench, lane);
  assert.equal(lane.read(0, 2 * block), false);
  assert.equal(bench.lines.length, 1);
  return bench.lines[0] ?? '';
}

describe('Verifier', () => {
  it('finds everything right that was prepared or written, by whatever lane, in blocks of any size', () => {
    const bench = new Bench();
    const [a, b] = [bench.lane(), bench.lane()];
    assert.ok(a.read(1, 0, fileBytes));
    b.write(0, 4 * block, 3 * block);
    a.write(0, 5 * block);
    b.write(1, 0, fileBytes);
    assert.ok(a.read(0, 0, fileBytes) && b.read(0, 0, fileBytes) && a.read(1, 0, fileBytes));
    assert.deepEqual(bench.lines, []);
  });

  it('another run, which knows nothing of what was written, finds it right, too', () => {
    const bench = new Bench();
    bench.lane().write(0, 3 * block, 2 * block);
    const other = bench.lane({ run: 700, generations: undefined });
    assert.ok(other.read(0, 0, fileBytes));
  });

  it('a damaged byte: file, offset, expected and found', () => {
    const line = found(({ files }) => {
      files[0]![2 * block + 1000] = (files[0]![2 * block + 1000] ?? 0) ^ 0x10;
    });
    assert.match(
      line,
      /^data\/f0, offset 8192: expected its block, found damage: 1 wrong byte, the first at \+1000: 0x[0-9a-f]{2} instead of 0x[0-9a-f]{2}$/,
    );
  });

  it('a lost write leaves the older block: stale', () => {
    const line = found(({ files }, lane) => {
      const before = Buffer.from(files[0]!.subarray(2 * block, 3 * block));
      lane.write(0, 2 * block);
      files[0]!.set(before, 2 * block);
    });
    assert.equal(
      line,
      'data/f0, offset 8192: expected generation 1 of its block, found generation 0 of another run (stale: a later write was lost)',
    );
  });

  it('a block in the wrong place: misdirected, and whose it is', () => {
    const line = found(({ files }) => {
      files[0]!.set(files[1]!.subarray(5 * block, 6 * block), 2 * block);
    });
    assert.equal(
      line,
      'data/f0, offset 8192: expected its block, found the block of data/f1, offset 20480 (misdirected)',
    );
  });

  it('a block of which only a part was written: torn, and where', () => {
    const line = found(({ files }, lane) => {
      lane.write(0, 2 * block);
      const older = Buffer.from(files[0]!.subarray(2 * block, 3 * block));
      lane.write(0, 2 * block);
      files[0]!.set(older.subarray(1536), 2 * block + 1536);
    });
    assert.match(line, /found parts of two writes \(torn\): generation 2 up to \+1536, then 1$/);
  });

  it('zeros, foreign data, a damaged header, another dataset: each by its name', () => {
    assert.match(
      found(({ files }) => files[0]!.fill(0, 2 * block, 3 * block)),
      /found only zeros \(never written, or the write was lost\)$/,
    );
    assert.match(
      found(({ files }) => files[0]!.fill(0xee, 2 * block, 3 * block)),
      /found no block of Muster, it begins with ee ee ee ee ee ee ee ee$/,
    );
    assert.match(
      found(({ files }) => {
        files[0]![2 * block + 13] = 0xff;
      }),
      /found a block with a damaged header$/,
    );
    assert.match(
      found(({ files }) => {
        const other = new Pattern(78, 1, 1);
        other.make({ file: 0, unit: 2 }, { run: 5, generation: 0 });
        files[0]!.set(other.bytes, 2 * block);
      }),
      /found a block of another dataset$/,
    );
    assert.match(
      found(({ files }) => {
        const other = new Pattern(77, 4, 1);
        other.make({ file: 0, unit: 2 }, { run: 5, generation: 0 });
        files[0]!.set(other.bytes, 2 * block);
      }),
      /found the block of data\/f0 of agent 3, offset 8192 \(misdirected\)$/,
    );
  });

  it('a read that brings nothing does not pass with what the buffer held before', () => {
    const bench = new Bench();
    const lane = bench.lane();
    assert.ok(lane.read(0, 2 * block));
    const operation = operationOf({ offset: 2 * block });
    lane.verifier.before(operation, lane.buffer);
    assert.equal(lane.verifier.after(operation, lane.buffer, true), false);
  });

  it('counts every wrong block and tells of the first ten', () => {
    const bench = new Bench();
    bench.files[0]?.fill(1);
    const lane = bench.lane();
    for (let i = 0; i < 16; i++) assert.equal(lane.read(0, i * block), false);
    assert.equal(bench.lines.length, 10);
  });

  it('does not judge what is written while it is read, nor what two write at once', () => {
    const bench = new Bench();
    const [a, b] = [bench.lane(), bench.lane()];
    assert.ok(
      a.read(0, 0, block, () => {
        b.write(0, 0);
      }),
    );
    const [first, second] = [a, b].map((lane) => {
      const operation = operationOf({ kind: 'write' });
      lane.verifier.before(operation, lane.buffer);
      return { lane, operation };
    });
    assert.ok(first && second);
    bench.files[0]!.set(second.lane.buffer.subarray(0, 512));
    bench.files[0]!.set(first.lane.buffer.subarray(512, block), 512);
    first.lane.verifier.after(first.operation, first.lane.buffer, true);
    second.lane.verifier.after(second.operation, second.lane.buffer, true);
    assert.ok(a.read(0, 0), 'nobody can tell which of the two came last');
    a.write(0, 0);
    const later = bench.lane({}, 1);
    later.write(0, 0);
    bench.files[0]!.fill(7, 0, block);
    assert.equal(later.read(0, 0), false, 'in the next stage it is judged again');
  });

  it('does not judge a block after a write that failed', () => {
    const bench = new Bench();
    const lane = bench.lane();
    const operation = operationOf({ kind: 'write' });
    lane.verifier.before(operation, lane.buffer);
    bench.files[0]!.fill(3, 0, 100);
    lane.verifier.after(operation, lane.buffer, false);
    assert.ok(lane.read(0, 0));
  });

  it('verify: false writes blocks that can be verified, and compares nothing', () => {
    const bench = new Bench();
    const silent = bench.lane({ checksReads: false });
    silent.write(0, 0);
    assert.ok(bench.lane().read(0, 0));
    bench.files[0]?.fill(1);
    assert.ok(silent.read(0, 0));
  });

  it('files of any length: the last block may be short, down to one byte', () => {
    for (const bytes of [1, 35, 36, 700, block - 1, block + 1, 3 * block + 511]) {
      const content = new PreparedPattern(new Pattern(77, 1, 1), 500, fileBytes);
      content.take(operationOf({ kind: 'write', file: 1 }), content.bytes, bytes);
      const bench = new Bench();
      const lane = bench.lane();
      const operation = operationOf({ kind: 'get', file: 1, bytes });
      const get = (data: Uint8Array): boolean => {
        lane.verifier.before(operation, lane.buffer);
        lane.buffer.set(data);
        return lane.verifier.after(operation, lane.buffer, true);
      };
      const data = Buffer.from(content.bytes.subarray(0, bytes));
      assert.ok(get(data), String(bytes));
      data[bytes - 1] = (data[bytes - 1] ?? 0) ^ 1;
      assert.equal(get(data), false, String(bytes));
    }
  });

  it('a pattern that compresses is as good', () => {
    const pattern = new Pattern(77, 1, 4);
    pattern.make({ file: 3, unit: 9 }, { run: 1, generation: 2 });
    const zeros = pattern.bytes.filter((byte) => byte === 0).length;
    assert.ok(zeros > block * 0.7 && zeros < block * 0.8);
  });
});

describe('the owner in a pattern', () => {
  it('is each agent of private files, and one for all who share them', () => {
    const owners = (namespace: 'private' | 'shared'): number[] =>
      [0, 1, 2].map((agentIndex) => ownerOf({ namespace, agentIndex }));
    assert.deepEqual(owners('private'), [1, 2, 3]);
    assert.deepEqual(owners('shared'), [0, 0, 0]);
  });
});
