import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { endJournal } from '../../../../src/controller/shell/end-journal.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

test('[RUN-18] the end of a journal takes the place of a torn line, else of as many of the last ones as it is long', async (t) => {
  const { path: folder, remove } = temporaryFolder();
  t.after(remove);
  const path = join(folder, 'journal.ndjson');
  const ended = async (before: string): Promise<string | undefined> => {
    await writeFile(path, before);
    const isEnded = await endJournal(path, 'the end');
    const after = await readFile(path, 'utf8');
    assert.ok(after.length <= before.length, 'a full disk has no room for more');
    assert.equal(after === before, !isEnded);
    return isEnded ? after : undefined;
  };
  assert.equal(await ended('run\none\ntorn and long'), 'run\none\nthe end\n');
  assert.equal(await ended('run\none\ntorn at'), 'run\nthe end\n');
  assert.equal(await ended('run\none\n12345678'), 'run\none\nthe end\n');
  assert.equal(await ended('run\none\ntwo\n'), 'run\nthe end\n');
  assert.equal(await ended('run\none\n'), undefined, 'the first line stays');
  assert.equal(await ended('a first line that is torn'), undefined);
  assert.equal(await ended(''), undefined);
});
