import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertOneSentence, Desk } from '../support/cli-run.js';

const stage = { name: 'a', mix: 'read', duration: '1s' };

/** Exit 2, the sentence, and nothing was made. */
async function assertRefused(
  desk: Desk,
  config: string,
  sentence: RegExp,
  ...argv: string[]
): Promise<void> {
  const shown = await desk.run(config, ...argv);
  assertOneSentence(shown, 2, sentence);
  assert.equal(shown.stdout, '');
  assert.ok(!existsSync(desk.results), 'no results folder');
  assert.deepEqual(readdirSync(desk.target), [], 'nothing in the target');
}

test('[CLI-02] files that are no config: missing, a folder, empty, binary, no stages', async (t) => {
  const desk = new Desk(t);
  const noise = Uint8Array.from({ length: 3000 }, (_, i) => (i * 7919 + (i >> 3)) % 256);
  const rows: readonly (readonly [string, RegExp])[] = [
    [join(desk.path, 'none.yaml'), /^ERROR: Cannot read .*none\.yaml: there is no such file\n/],
    [desk.folder('folder.yaml'), /^ERROR: Cannot read .*folder\.yaml: it is a folder\n/],
    [desk.file('empty.yaml', ''), /^ERROR: .*empty\.yaml:1:1: the config is empty\n/],
    [desk.file('noise.yaml', noise), /^ERROR: .*noise\.yaml:?\d*:?\d*:? /],
    [desk.file('text.yaml', 'just words\n'), /text\.yaml:1:1: the config must be a mapping/],
    [desk.file('name.yaml', 'name: x\n'), /name\.yaml:1:1: stages: is missing/],
    [desk.config({ stages: [] }), /bench\.json:\d+:\d+: stages: is empty: nothing would be done/],
  ];
  for (const [file, sentence] of rows) await assertRefused(desk, file, sentence);
});

test('[CONF-01] [CONF-02] every key and value not understood is named with place, reason and what to write', async (t) => {
  const desk = new Desk(t);
  const rows: readonly (readonly [object, RegExp])[] = [
    [{ treads: 2 }, /\.treads: unknown key; did you mean "threads"\?/],
    [{ block_size: '4KB/s' }, /\.block_size: "4KB\/s" is not a size; write it like 4KiB/],
    [{ duration: 60 }, /\.duration: 60 has no unit; write 60s or 60ms/],
    [{ duration: '0s' }, /\.duration: 0ms is too little; at least/],
    [{ max_operations: 0 }, /\.max_operations: 0 is too little; at least 1/],
    [{ max_bytes: 0 }, /\.max_bytes: 0B is too little; at least 1B/],
    [{ threads: 0 }, /\.threads: 0 is too little; at least 1/],
    [{ threads: 2000 }, /Concurrency too high \(limit: 1024\)/],
    [{ mix: 'raed' }, /\.mix: .*did you mean "?read/],
  ];
  const stages = rows.map(([wrong], i) => ({ ...stage, name: `s${String(i)}`, ...wrong }));
  const shown = await desk.run(desk.config({ stages }));
  assertOneSentence(shown, 2, /^ERROR: .*bench\.json has \d+ problems:\n/);
  const lines = shown.stderr.split('\n');
  for (const [index, [, sentence]] of rows.entries()) {
    const own = lines.filter((line) => line.includes(`stages[${String(index)}]`));
    assert.ok(own.length > 0, `stage ${String(index)} in ${shown.stderr}`);
    for (const line of own) assert.match(line, /^.*bench\.json:\d+:\d+: /);
    assert.ok(
      own.some((line) => sentence.test(line)),
      `${String(sentence)} in ${own.join('\n')}`,
    );
  }
  assert.ok(!existsSync(desk.results), 'no results folder');
});

test('[CONF-01] [SAFE-05] targets that can never be are refused before anything is dialled', async (t) => {
  const desk = new Desk(t);
  const config = desk.config({ stages: [stage] });
  const rows: readonly (readonly [string, RegExp])[] = [
    ['/etc', /--set target=\/etc: target: \/etc is never a target/],
    ['/etc/muster', /target: \/etc\/muster is in \/etc, which is never a target/],
    ['/tmp/../etc', /\/etc is never a target/],
    ['/', /target: \/ is never a target; name a folder made for the benchmark/],
    ['some/folder', /target: "some\/folder" is not an absolute path; write \/mnt\/bench/],
    ['s3://bucket/x', /target: no engine for "s3:"; this version has file: and null:/],
  ];
  for (const [target, sentence] of rows) {
    await assertRefused(desk, config, sentence, '--set', `target=${target}`);
  }
});

test('[CLI-02] flags with values that make no sense', async (t) => {
  const desk = new Desk(t);
  const config = desk.config({ stages: [stage] });
  const rows: readonly (readonly [readonly string[], RegExp])[] = [
    [['--embedded', 'two'], /^error: option '--embedded <n>' argument 'two' is invalid/],
    [['--embedded', '0'], /^ERROR: --embedded must be a number from 1 to 64/],
    [['--embedded', '2', '--agents', 'a'], /'--agents <list>' cannot be used with .*--embedded/],
    [['--progress', 'fancy'], /'fancy' is invalid\. Allowed choices are bars, lines, json, none/],
    [
      ['--set', 'threads'],
      /--set threads: is not an override; write it like stages\.0\.threads=16/,
    ],
    [['--set', 'stages.4.threads=2'], /--set stages\.4\.threads=2: stages has only 1 entry/],
    [['--agents', 'a['], /--agents a\[: .*"a\[" is not an agent address/],
    [['--agents', 'http://a:1'], /agents speak gRPC, not HTTP/],
    [
      ['--agents', 'a:1,a:1'],
      /a:1 is listed twice \(also in agents\[0\]\); one agent cannot take part/,
    ],
    [['--agents', 'node[1-3]:1,node2:1'], /node2:1 is listed twice/],
    [['another.yaml'], /^error: too many arguments for 'run'/],
  ];
  for (const [argv, sentence] of rows) await assertRefused(desk, config, sentence, ...argv);
});
