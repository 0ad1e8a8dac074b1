import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { StageOptions } from '../../../../src/agent/engines/engine.js';
import type { OperationKind } from '../../../../src/shared/model/operation.js';
import { engineNamed, plain, within } from '../../../support/engine-bench.js';
import type { Bench } from '../../../support/engine-bench.js';

const file = engineNamed('file');

/** The flags with which this process has the file open, as the kernel tells. */
function flagsOf(needle: string): number {
  const fd = fs.readdirSync('/proc/self/fd').find((name) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${name}`).endsWith(needle);
    } catch {
      return false;
    }
  });
  const info = fs.readFileSync(`/proc/self/fdinfo/${String(fd)}`, 'utf8');
  return Number.parseInt(/flags:\s+(\d+)/u.exec(info)?.[1] ?? '0', 8);
}

describe('engine file and the options of a stage', () => {
  it('reads without noatime when the files belong to somebody else, and says so once', async () => {
    // As root nobody is refused: the kernel's answer to other users is played.
    const original = fs.openSync;
    const calls: number[] = [];
    const refusing: typeof fs.openSync = (name, flags, mode) => {
      calls.push(Number(flags));
      if ((Number(flags) & fs.constants.O_NOATIME) === 0) return original(name, flags, mode);
      throw Object.assign(new Error('EPERM: operation not permitted'), {
        code: 'EPERM',
        errno: -1,
      });
    };
    fs.openSync = refusing;
    try {
      await within(file, { ...plain, noatime: true }, ({ engine, perform, warnings }) => {
        assert.equal(perform('read', { file: 2 }), 4096);
        assert.equal(perform('get', { file: 2 }), 16_384);
        assert.equal(engine.mechanism, 'psync');
        assert.equal(warnings.length, 1);
        assert.match(warnings[0] ?? '', /noatime is off/u);
      });
    } finally {
      fs.openSync = original;
    }
    assert.equal(calls.filter((flags) => flags & fs.constants.O_NOATIME).length, 1);
  });

  it('passes the flags of the stage to the kernel and names them', async () => {
    const { O_DIRECT, O_NOATIME } = fs.constants;
    await within(file, plain, ({ engine }) => {
      assert.equal(flagsOf('/data/d0/f0') & (O_DIRECT | O_NOATIME), 0);
      assert.equal(engine.mechanism, 'psync');
    });
    await within(
      file,
      { ...plain, direct: true, noatime: true, fsync: 8 },
      ({ engine, perform }) => {
        assert.equal(flagsOf('/data/d0/f0') & O_DIRECT, O_DIRECT);
        assert.equal(flagsOf('/data/d0/f0') & O_NOATIME, O_NOATIME);
        assert.equal(engine.mechanism, 'psync O_DIRECT O_NOATIME fsync 8');
        for (const kind of ['read', 'write', 'get', 'put'] as const) perform(kind, { entry: 1 });
      },
    );
  });

  it('[CONF-03] opens whole files as the stage says: get and put with direct and sync, get with noatime', async () => {
    const { O_DIRECT, O_NOATIME, O_SYNC, O_DSYNC } = fs.constants;
    const asked = O_DIRECT | O_NOATIME | O_SYNC | O_DSYNC;
    const original = fs.openSync;
    const opened: number[] = [];
    const noting: typeof fs.openSync = (name, flags, mode) => {
      opened.push(Number(flags) & asked);
      return original(name, flags, mode);
    };
    const flagsFor = async (change: Partial<StageOptions>): Promise<readonly number[]> => {
      await within(file, { ...plain, ...change }, ({ perform }) => {
        opened.length = 0;
        fs.openSync = noting;
        try {
          perform('get');
          perform('put', { entry: 7 });
        } finally {
          fs.openSync = original;
        }
      });
      return [...opened];
    };
    assert.deepEqual(await flagsFor({}), [0, 0]);
    assert.deepEqual(await flagsFor({ direct: true }), [O_DIRECT, O_DIRECT]);
    assert.deepEqual(await flagsFor({ noatime: true }), [O_NOATIME, 0]);
    assert.deepEqual(await flagsFor({ sync: 'o_sync' }), [0, O_SYNC]);
    assert.deepEqual(await flagsFor({ sync: 'o_dsync' }), [0, O_DSYNC]);
  });

  it('[ENG-03] gets with direct also the end of a file that fills no block of the device', async () => {
    await within(file, { ...plain, direct: true }, ({ perform }) => {
      fs.truncateSync('data/d1/f1', 6000);
      assert.equal(perform('get', { file: 1, bytes: 6000 }), 6000);
      assert.equal(perform('get', { file: 1 }), 6000, 'shorter than it should be');
    });
  });

  it('opens for synchronous writes as the stage says, not for reads alone', async () => {
    const { O_SYNC, O_DSYNC } = fs.constants;
    for (const [sync, flags] of [
      ['none', 0],
      ['o_dsync', O_DSYNC],
      ['o_sync', O_SYNC],
    ] as const) {
      await within(file, { ...plain, sync }, ({ engine, perform }) => {
        assert.equal(flagsOf('/data/d0/f0') & (O_SYNC | O_DSYNC), flags);
        assert.equal(engine.mechanism, ['psync', ...(flags ? [sync.toUpperCase()] : [])].join(' '));
        assert.equal(perform('write'), 4096);
        assert.equal(perform('put'), 16_384);
      });
      const reading = { kinds: new Set<OperationKind>(['read']) };
      await within(
        file,
        { ...plain, sync },
        () => {
          assert.equal(flagsOf('/data/d0/f0') & O_SYNC, 0);
        },
        reading,
      );
    }
  });

  it('forces data out as often as the stage says', async () => {
    const count = async (fsync: StageOptions['fsync'], kind: 'write' | 'put'): Promise<number> => {
      let calls = 0;
      const original = fs.fsyncSync;
      fs.fsyncSync = (descriptor) => {
        calls++;
        original(descriptor);
      };
      try {
        await within(
          file,
          { ...plain, fsync },
          ({ engine, perform }) => {
            for (let entry = 0; entry < 6; entry++) perform(kind, { entry });
            engine.finish();
          },
          { kinds: new Set<OperationKind>([kind]) },
        );
      } finally {
        fs.fsyncSync = original;
      }
      return calls;
    };
    assert.equal(await count('never', 'write'), 0);
    assert.equal(await count('every', 'write'), 6);
    assert.equal(await count(4, 'write'), 1);
    assert.equal(await count('end', 'write'), 4, 'each of the four files once');
    assert.equal(await count('never', 'put'), 0);
    assert.equal(await count('every', 'put'), 6);
    assert.equal(await count(4, 'put'), 1);
    assert.equal(await count('end', 'put'), 6, 'a put file has its end when it is closed');
  });

  it('[ENG-03] forces out at the end also what it wrote to files that it had to close, whatever becomes of the others', async () => {
    const synced: string[] = [];
    const original = fs.fsyncSync;
    let refused = '';
    fs.fsyncSync = (descriptor) => {
      const name = path.basename(fs.readlinkSync(`/proc/self/fd/${String(descriptor)}`));
      synced.push(name);
      if (name === refused) throw Object.assign(new Error('EIO'), { code: 'EIO', errno: -5 });
    };
    const change = { kinds: new Set<OperationKind>(['write']), openFiles: 2 };
    const test = ({ engine, perform }: Bench): void => {
      for (const entry of [0, 3, 1, 3]) perform('write', { file: entry });
      if (refused === '') engine.finish();
      else {
        assert.throws(() => {
          engine.finish();
        }, /EIO/u);
      }
      // f0 and f1 were open from the start, f3 took the place of f1, and again.
      assert.deepEqual(synced.splice(0).sort(), ['f0', 'f1', 'f3']);
    };
    try {
      await within(file, { ...plain, fsync: 'end' }, test, change);
      refused = 'f0';
      await within(file, { ...plain, fsync: 'end' }, test, change);
    } finally {
      fs.fsyncSync = original;
    }
  });

  it('calls fdatasync instead of fsync when told to', async () => {
    const calls = { fsync: 0, fdatasync: 0 };
    const { fsyncSync, fdatasyncSync } = fs;
    fs.fsyncSync = () => {
      calls.fsync++;
    };
    fs.fdatasyncSync = () => {
      calls.fdatasync++;
    };
    try {
      await within(file, { ...plain, fsync: 2, fdatasync: true }, ({ engine, perform }) => {
        for (let i = 0; i < 6; i++) perform('write');
        assert.equal(engine.mechanism, 'psync fdatasync 2');
      });
    } finally {
      Object.assign(fs, { fsyncSync, fdatasyncSync });
    }
    assert.deepEqual(calls, { fsync: 0, fdatasync: 3 });
  });
});
