import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DatasetLayout, filePath, folderOf } from '../../../../src/agent/runner/dataset-layout.js';

describe('dataset layout', () => {
  it('puts all files into one folder at depth 0', () => {
    assert.equal(filePath(17, { width: 10, depth: 0 }), 'data/f17');
  });

  it('spreads files over width^depth leaf folders, round robin', () => {
    const directories = { width: 3, depth: 2 };
    assert.equal(filePath(0, directories), 'data/d0/d0/f0');
    assert.equal(filePath(5, directories), 'data/d1/d2/f5');
    const folders = Array.from({ length: 90 }, (_, i) => folderOf(i, directories));
    assert.equal(new Set(folders).size, 9);
    for (const folder of new Set(folders)) {
      assert.equal(folders.filter((one) => one === folder).length, 10);
    }
  });

  it('gives every file its own path inside the data folder, from a table or not', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 5 }),
        fc.integer({ min: 0, max: 1e9 }),
        (width, depth, from) => {
          const directories = { width, depth };
          const few = new DatasetLayout(directories, 3, { from, to: from + 20 });
          const many = new DatasetLayout(directories, 3, { from, to: from + 1e6 });
          const paths = Array.from({ length: 20 }, (_, i) => few.file(from + i));
          assert.equal(new Set(paths).size, 20);
          for (const [i, path] of paths.entries()) {
            assert.equal(many.file(from + i), path);
            assert.match(path, /^data(\/d\d+)*\/f\d+$/u);
            assert.equal(path.split('/').length, depth + 2);
            assert.equal(few.folderOf(from + i), path.slice(0, path.lastIndexOf('/')));
          }
        },
      ),
    );
  });

  it("keeps each agent's and lane's churn apart", () => {
    const layout = new DatasetLayout({ width: 1, depth: 0 }, 3, { from: 0, to: 1 });
    assert.equal(layout.churnFile(2, 9), 'churn/3/2/p9');
    assert.equal(layout.churnFolder(2, 9), 'churn/3/2/d9');
  });
});
