import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import type {
  Engine,
  EngineContext,
  EngineDefinition,
  Operation,
  StageOptions,
} from '../../../../src/agent/engines/engine.js';
import { engines, parseTarget, unsupported } from '../../../../src/agent/engines/registry.js';
import { blankOperation } from '../../../../src/agent/runner/allowance.js';
import { alignedBuffer } from '../../../../src/agent/runner/content/aligned-buffer.js';
import { DatasetLayout } from '../../../../src/agent/runner/dataset-layout.js';
import { codeOf } from '../../../../src/shared/kernel/errors.js';
import { operationKinds } from '../../../../src/shared/model/operation.js';
import type { OperationKind } from '../../../../src/shared/model/operation.js';
import { atNextTurn } from '../../../support/lane-load.js';

const fileSizeBytes = 16_384;
const blockSizeBytes = 4096;
const plain: StageOptions = {
  direct: false,
  noatime: false,
  iodepth: 1,
  sync: 'none',
  fsync: 'never',
  fdatasync: false,
};

interface Bench {
  readonly engine: Engine;
  readonly folder: string;
  readonly warnings: string[];
  perform(kind: OperationKind, fields?: Partial<Operation>): number;
}

/** A dataset of four files of 16 KiB as the working directory, and the engine opened for it. */
async function within(
  definition: EngineDefinition<StageOptions>,
  options: StageOptions,
  test: (bench: Bench) => void | Promise<void>,
  change: Partial<EngineContext> | (() => Partial<EngineContext>) = {},
): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'muster-engine-'));
  const before = process.cwd();
  process.chdir(folder);
  const warnings: string[] = [];
  try {
    const files = { from: 0, to: 4 };
    const paths = new DatasetLayout({ width: 2, depth: 1 }, 0, files);
    for (let i = 0; i < 4; i++) {
      fs.mkdirSync(paths.folderOf(i), { recursive: true });
      fs.writeFileSync(paths.file(i), Buffer.alloc(fileSizeBytes, i + 1));
    }
    const engine = await definition.open(options, {
      lane: 0,
      kinds: new Set(operationKinds),
      paths,
      files,
      fileSizeBytes,
      blockSizeBytes,
      openFiles: 100,
      content: { bytes: alignedBuffer(blockSizeBytes).fill(0xcd), take: () => 0 },
      warn: (line) => warnings.push(line),
      ...(typeof change === 'function' ? change() : change),
    });
    const buffer = alignedBuffer(blockSizeBytes).fill(0xab);
    const perform = (kind: OperationKind, fields: Partial<Operation> = {}): number => {
      const bytes =
        kind === 'read' || kind === 'write'
          ? blockSizeBytes
          : kind === 'get' || kind === 'put'
            ? fileSizeBytes
            : 0;
      assert.equal(engine.kind, 'blocking');
      return engine.perform(
        { kind, file: 0, offset: 0, bytes, lane: 0, entry: 0, to: 0, ...fields },
        buffer,
      );
    };
    await test({ engine, folder, warnings, perform });
    engine.close();
  } finally {
    process.chdir(before);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

for (const definition of engines) {
  describe(`engine ${definition.name}`, () => {
    it('[ENG-01] moves all bytes of every operation it supports, and can do them again', async () => {
      await within(definition, plain, ({ engine, perform }) => {
        const order: readonly OperationKind[] = [
          'read',
          'write',
          'get',
          'stat',
          'list',
          'put',
          'rename',
          'delete',
          'mkdir',
          'rmdir',
        ];
        assert.deepEqual(new Set(order), new Set(operationKinds));
        for (let round = 0; round < 3; round++) {
          for (const kind of order.filter((one) => definition.supports.has(one))) {
            const expected = kind === 'read' || kind === 'write' ? 4096 : 16_384;
            const moves = ['read', 'write', 'get', 'put'].includes(kind);
            assert.equal(perform(kind, { file: round }), moves ? expected : 0, kind);
          }
        }
        engine.finish();
        assert.notEqual(engine.mechanism, '');
      });
    });

    it('[ENG-01] takes the options of a stage and no others', async () => {
      const schema = await definition.options();
      for (const fsync of ['never', 'end', 'every', 16] as const) {
        const options = {
          direct: true,
          noatime: true,
          iodepth: 8,
          sync: 'o_dsync',
          fsync,
          fdatasync: true,
        };
        assert.deepEqual(schema.parse(options), options);
      }
      assert.throws(() => schema.parse({ ...plain, threads: 4 }));
      assert.throws(() => schema.parse({ ...plain, iodepth: 0 }));
      assert.throws(() => schema.parse({ ...plain, fsync: 0 }));
    });

    it('[ENG-01] has several operations in flight on one thread where it says so, and ends each once, later', async () => {
      const kinds = operationKinds.filter((kind) => definition.concurrent.has(kind));
      assert.notEqual(kinds.length, 0);
      const moving = kinds.filter((kind) => kind === 'read' || kind === 'write');
      const test = async ({ engine }: Bench): Promise<void> => {
        assert.equal(engine.kind, 'concurrent');
        let isStarting = true;
        const moved = moving.flatMap((kind) =>
          [0, 1, 2, 3].map((file) => {
            const buffer = alignedBuffer(blockSizeBytes);
            const bytes = blockSizeBytes;
            const operation = { ...blankOperation(), kind, file, offset: 4096, bytes };
            return new Promise<number>((resolve, reject) => {
              engine.start(operation, buffer, (error, count) => {
                assert.equal(isStarting, false);
                if (error === null) resolve(count);
                else reject(error);
              });
            });
          }),
        );
        isStarting = false;
        assert.deepEqual(new Set(await Promise.all(moved)), new Set([4096]));
        engine.finish();
        assert.notEqual(engine.mechanism, '');
      };
      const change = { kinds: new Set(moving) };
      await within(definition, { ...plain, iodepth: 8, fsync: 'every' }, test, change);
    });

    it('[ENG-02] says which operations it does not support', () => {
      const some = { ...definition, supports: new Set<OperationKind>(['read']) };
      assert.deepEqual(unsupported(some, ['read', 'list']), ['list']);
      assert.deepEqual(unsupported(definition, definition.supports), []);
    });
  });
}

describe('targets', () => {
  it('find their engine by scheme, plain paths are files', () => {
    const found = (target: string): string => {
      const parsed = parseTarget(target);
      return typeof parsed === 'string' ? parsed : `${parsed.engine.name} ${parsed.location}`;
    };
    assert.equal(found('/mnt/bench'), 'file /mnt/bench');
    assert.equal(found('file:///mnt/bench'), 'file /mnt/bench');
    assert.equal(found('null:'), 'null ');
    assert.match(found('tape://x'), /^target tape:\/\/x: no engine for "tape:"/u);
    assert.match(found('mnt/bench'), /not an absolute path/u);
  });
});

const file = engines.find(({ name }) => name === 'file');
if (file === undefined) throw new Error('no file engine');

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

describe('engine file, in particular', () => {
  it('[ENG-03] moves fewer bytes at the end of a short file, without an exception', async () => {
    await within(file, plain, ({ perform }) => {
      fs.truncateSync('data/d1/f1', 6000);
      assert.equal(perform('read', { file: 1, offset: 4096 }), 6000 - 4096);
      assert.equal(perform('read', { file: 1, offset: 8192 }), 0);
      assert.equal(perform('get', { file: 1 }), 6000);
    });
  });

  it('[ENG-03] throws what the system says, with its code', async () => {
    await within(file, plain, ({ perform }) => {
      const code = (act: () => unknown): string | undefined => {
        try {
          act();
          return 'nothing';
        } catch (error) {
          return codeOf(error);
        }
      };
      assert.equal(
        code(() => perform('delete', { entry: 5 })),
        'ENOENT',
      );
      assert.equal(
        code(() => perform('rmdir', { entry: 5 })),
        'ENOENT',
      );
      perform('put');
      assert.equal(
        code(() => perform('put')),
        'EEXIST',
      );
      perform('mkdir');
      assert.equal(
        code(() => perform('mkdir')),
        'EEXIST',
      );
      fs.unlinkSync('data/d0/f0');
      assert.equal(
        code(() => perform('get')),
        'ENOENT',
      );
      assert.equal(
        code(() => perform('stat')),
        'ENOENT',
      );
    });
  });

  it('[SAFE-02] never writes through a symbolic link', async () => {
    await within(file, plain, ({ perform, folder }) => {
      const outside = path.join(folder, 'outside');
      fs.writeFileSync(outside, 'precious');
      fs.symlinkSync(outside, 'churn/0/0/p7');
      assert.throws(() => perform('put', { entry: 7 }), { code: 'EEXIST' });
      fs.unlinkSync('data/d0/f0');
      fs.symlinkSync(outside, 'data/d0/f0');
      assert.throws(() => perform('get'), { code: 'ELOOP' });
      assert.equal(fs.readFileSync(outside, 'utf8'), 'precious');
    });
  });

  it('writes where it should: put whole files, write single blocks', async () => {
    await within(file, plain, ({ perform }) => {
      perform('write', { file: 2, offset: 8192 });
      const written = fs.readFileSync('data/d0/f2');
      assert.ok(written.subarray(8192, 12_288).every((byte) => byte === 0xcd));
      assert.ok(written.subarray(0, 8192).every((byte) => byte === 3));
      perform('put', { entry: 3 });
      assert.equal(fs.statSync('churn/0/0/p3').size, fileSizeBytes);
    });
  });

  it('holds no more files open than it may, and still reads the right one', async () => {
    await within(
      file,
      plain,
      ({ perform }) => {
        const before = fs.readdirSync('/proc/self/fd').length;
        for (let i = 0; i < 12; i++) {
          fs.writeFileSync(`data/d${String(i % 2)}/f${String(i % 4)}`, 'x');
          assert.equal(perform('read', { file: i % 4 }), 1);
          fs.writeFileSync(`data/d${String(i % 2)}/f${String(i % 4)}`, Buffer.alloc(fileSizeBytes));
        }
        assert.equal(fs.readdirSync('/proc/self/fd').length, before);
      },
      { openFiles: 2 },
    );
  });

  it('closes everything it opened', async () => {
    const before = fs.readdirSync('/proc/self/fd').length;
    await within(file, plain, ({ perform }) => {
      perform('read');
      perform('get');
      perform('put');
      fs.unlinkSync('data/d0/f2');
      assert.throws(() => perform('get', { file: 2 }), { code: 'ENOENT' });
    });
    assert.equal(fs.readdirSync('/proc/self/fd').length, before);
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

  it('[ENG-03] does not read files with holes: that would be measuring memory', async () => {
    const holed = (kind: OperationKind) =>
      within(
        file,
        plain,
        () => undefined,
        () => {
          fs.truncateSync('data/d1/f3', 8192);
          fs.truncateSync('data/d1/f3', 1024 ** 2);
          return { kinds: new Set([kind]) };
        },
      );
    await assert.rejects(holed('read'), {
      name: 'UnfitDataset',
      message: /f3 has holes: 8192 of its 1048576 bytes are on the storage.*write the whole file/u,
    });
    await holed('write');
  });

  it('[ENG-03] keeps all files open when it has several operations in flight, or says that it cannot', async () => {
    const few = { kinds: new Set<OperationKind>(['read']), openFiles: 3 };
    await assert.rejects(
      within(file, { ...plain, iodepth: 2 }, () => undefined, few),
      { name: 'UnfitDataset', message: /needs all 4 files open.*leaves room for 3: raise it/u },
    );
  });

  /** Starts one operation of an engine with an iodepth. @returns the bytes it moved */
  const started = ({ engine }: Bench, fields: Partial<Operation>, buffer: Uint8Array) =>
    new Promise<number>((resolve, reject) => {
      assert.equal(engine.kind, 'concurrent');
      const operation = { ...blankOperation(), bytes: blockSizeBytes, ...fields };
      engine.start(operation, buffer, (error, moved) => {
        if (error === null) resolve(moved);
        else reject(error);
      });
    });
  const both = { kinds: new Set<OperationKind>(['read', 'write']) };

  it('[ENG-01] with an iodepth reads and writes at the right place of the right file', async () => {
    const test = async (bench: Bench): Promise<void> => {
      const buffer = alignedBuffer(blockSizeBytes);
      await started(bench, { kind: 'write', file: 2, offset: 8192 }, buffer);
      const written = fs.readFileSync('data/d0/f2');
      assert.ok(written.subarray(8192, 12_288).every((byte) => byte === 0xcd));
      assert.ok(written.subarray(0, 8192).every((byte) => byte === 3));
      await started(bench, { kind: 'read', file: 2, offset: 8192 }, buffer);
      assert.ok(buffer.every((byte) => byte === 0xcd));
      fs.truncateSync('data/d0/f2', 9000);
      const moved = await started(bench, { kind: 'read', file: 2, offset: 8192 }, buffer);
      assert.equal(moved, 9000 - 8192, 'the end of a short file');
    };
    await within(file, { ...plain, iodepth: 8 }, test, both);
  });

  it('[ENG-03] with an iodepth tells of what failed, be it the write or the sync after it', async (t) => {
    const options = { ...plain, iodepth: 8, fsync: 'every' } as const;
    const buffer = alignedBuffer(blockSizeBytes);
    const reading = { kinds: new Set<OperationKind>(['read']) };
    await within(
      file,
      options,
      (bench) => assert.rejects(started(bench, { kind: 'write' }, buffer), { code: 'EBADF' }),
      reading,
    );
    const failing = (_: number, done: (error: Error | null) => void): void => {
      atNextTurn(done, Object.assign(new Error('EIO'), { code: 'EIO', errno: -5 }));
    };
    for (const call of ['fsync', 'fdatasync'] as const) {
      const sync = t.mock.method(fs, call, failing as never);
      const test = (bench: Bench): Promise<void> =>
        assert.rejects(started(bench, { kind: 'write' }, buffer), { code: 'EIO' });
      await within(file, { ...options, fdatasync: call === 'fdatasync' }, test, both);
      assert.equal(sync.mock.callCount(), 1, call);
      sync.mock.restore();
    }
  });

  it('[ENG-03] with an iodepth forces out at the end, too', async (t) => {
    const sync = t.mock.method(fs, 'fsyncSync', () => undefined);
    const options = { ...plain, iodepth: 8, fsync: 'end' } as const;
    await within(file, options, ({ engine }) => engine.finish(), both);
    assert.equal(sync.mock.callCount(), 4, 'each of the four files once');
  });

  it('[ENG-03] where holes are not certain it warns of them once; where reads are compared they are no matter', async (t) => {
    const punch = (): Partial<EngineContext> => {
      for (const name of ['data/d0/f2', 'data/d1/f3']) {
        fs.truncateSync(name, 8192);
        fs.truncateSync(name, 1024 ** 2);
      }
      return { kinds: new Set<OperationKind>(['read']) };
    };
    const warnings = async (change: Partial<EngineContext>): Promise<readonly string[]> => {
      let seen: readonly string[] = [];
      const test = (bench: Bench): void => void (seen = bench.warnings);
      await within(file, plain, test, () => ({ ...punch(), ...change }));
      return seen;
    };
    assert.deepEqual(await warnings({ verifies: true }), []);
    t.mock.method(fs, 'statfsSync', () => ({ type: 0x9123683e }));
    const seen = await warnings({});
    assert.equal(seen.length, 1);
    assert.match(seen[0] ?? '', /f2 has holes: .*if this file system counts them/u);
  });
});
