import assert from 'node:assert/strict';
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { HistogramLogReader } from 'hdr-histogram-js';
import { Manifest } from '../../../../src/controller/core/manifest.js';
import type { JournalRecord } from '../../../../src/controller/core/records.js';
import { LineFile } from '../../../../src/controller/shell/line-file.js';
import { rebuild } from '../../../../src/controller/shell/rebuild.js';
import { RunResults } from '../../../../src/controller/shell/run-results.js';
import type { FinishedResults } from '../../../../src/controller/shell/run-results.js';
import { MusterError } from '../../../../src/shared/kernel/errors.js';
import type { Plan } from '../../../../src/shared/model/plan.js';
import { systemClock } from '../../../../src/shared/kernel/system-clock.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { sampleRun } from '../../../support/recorded-run.js';

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-results-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const whole = sampleRun({ agents: 3, seconds: 4 });

async function writtenRun(
  t: TestContext,
  records: readonly JournalRecord[] = whole,
): Promise<FinishedResults> {
  const results = await RunResults.open({
    parent: join(await temporary(t), 'results'),
    name: 'nightly nvme/1',
    configText: 'name: nightly\n',
    clock: systemClock,
    onFailure: (line) => assert.fail(line),
  });
  for (const record of records) results.record(record);
  results.log('warn', 'something to remember');
  return results.finish();
}

const names = [
  'config.yaml',
  'controller.log',
  'generators.csv',
  'histograms.hlog',
  'intervals.csv',
  'journal.ndjson',
  'report.html',
  'run.json',
  'summary.json',
  'summary.txt',
];

test('[RES-01] a run leaves every file of the results page, and nothing else', async (t) => {
  const { folder, failure } = await writtenRun(t);
  assert.equal(failure, undefined);
  assert.match(folder, /results\/\d{8}-\d{6}-nightly-nvme-1-[0-9a-f]{4}$/);
  assert.deepEqual((await readdir(folder)).sort(), names);
  assert.equal(await readFile(join(folder, 'config.yaml'), 'utf8'), 'name: nightly\n');
  const log = await readFile(join(folder, 'controller.log'), 'utf8');
  assert.match(log, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ warn {2}something to remember\n$/);
});

test('[CONF-03] [RES-01] results.formats says which files are made, and each agent has its labels in run.json', async (t) => {
  const always = ['config.yaml', 'controller.log', 'journal.ndjson', 'run.json', 'summary.txt'];
  const made: Readonly<Record<Plan['results']['formats'][number], readonly string[]>> = {
    json: ['summary.json'],
    csv: ['generators.csv', 'intervals.csv'],
    hlog: ['histograms.hlog'],
    html: ['report.html'],
  };
  for (const format of ['json', 'csv', 'hlog', 'html'] as const) {
    const records = whole.map((record): JournalRecord => {
      if (record.type !== 'run') return record;
      const { plan } = record;
      const agents = plan.agents.map((agent) => ({ ...agent, labels: { rack: agent.id } }));
      const results = { ...plan.results, formats: [format] };
      return { ...record, plan: { ...plan, agents, results } };
    });
    const { folder } = await writtenRun(t, records);
    assert.deepEqual((await readdir(folder)).sort(), [...always, ...made[format]].sort());
    const manifest = JSON.parse(await readFile(join(folder, 'run.json'), 'utf8')) as {
      agents: { id: string; labels: object }[];
    };
    assert.equal(manifest.agents.length, 3);
    for (const { id, labels } of manifest.agents) assert.deepEqual(labels, { rack: id });
  }
});

test('[RES-03] report makes byte-equal files from the journal', async (t) => {
  const { folder } = await writtenRun(t);
  const derived = names.filter((name) => !/^(config|controller|journal)/.test(name));
  const before = new Map<string, string>();
  for (const name of derived) {
    before.set(name, await readFile(join(folder, name), 'utf8'));
    await writeFile(join(folder, name), 'overwritten');
  }
  const { damage } = await rebuild(folder, systemClock);
  assert.deepEqual(damage, []);
  for (const [name, content] of before) {
    assert.equal(await readFile(join(folder, name), 'utf8'), content, name);
  }
});

test('[RES-03] a torn last line of the journal is left out, and said', async (t) => {
  const { folder, summary } = await writtenRun(t);
  const path = join(folder, 'journal.ndjson');
  await appendFile(path, '{"type":"interval","agent":0,"inter');
  const rebuilt = await rebuild(folder, systemClock);
  assert.deepEqual(rebuilt.damage, ['the last line of the journal is torn and left out']);
  assert.deepEqual(rebuilt.summary.stages, summary.stages);
  assert.ok(rebuilt.summary.warnings.includes('the last line of the journal is torn and left out'));
  assert.match(await readFile(join(folder, 'summary.txt'), 'utf8'), /journal is torn/);
});

test('[RES-03] a journal that ends anywhere gives the numbers up to there', async (t) => {
  const { folder } = await writtenRun(t);
  const path = join(folder, 'journal.ndjson');
  const size = (await readFile(path)).length;
  let counted = Infinity;
  for (let length = size - 1; length > size / 2; length -= Math.ceil(size / 40)) {
    await truncate(path, length);
    const { summary } = await rebuild(folder, systemClock);
    const count = summary.stages[0]?.operations['read']?.count ?? 0;
    assert.ok(count <= counted);
    counted = count;
    if (length < size - 200) {
      assert.equal(summary.outcome, 'interrupted');
      assert.match(
        summary.reason ?? '',
        /^the journal ends before the run did \(its controller was/,
      );
    }
  }
  assert.ok(counted > 0);
});

test('[RES-05] a disk that takes no more while the folder is made is no reason for a stack', async (t) => {
  const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', errno: -28 });
  t.mock.method(LineFile, 'create', () => Promise.reject(full));
  await assert.rejects(writtenRun(t), (thrown) => {
    assert.ok(thrown instanceof MusterError, String(thrown));
    assert.match(thrown.message, /^Cannot write results to .* \(disk full\)$/);
    assert.equal(thrown.exitCode, 6);
    return true;
  });
});

test('[RUN-18] report says when it cannot write, and writes what it can', async (t) => {
  const { folder } = await writtenRun(t);
  await rm(join(folder, 'summary.json'));
  await mkdir(join(folder, 'summary.json'));
  await writeFile(join(folder, 'summary.txt'), 'old');
  const { failure, summary } = await rebuild(folder, systemClock);
  assert.match(failure ?? '', /^ERROR: Cannot write results to disk \(/);
  assert.equal(summary.outcome, 'completed');
  assert.match(await readFile(join(folder, 'summary.txt'), 'utf8'), /^COMPLETED/);
});

test('report of a folder without a journal, or of a journal without its beginning, is one sentence', async (t) => {
  const nothing = await temporary(t);
  await assert.rejects(rebuild(nothing, systemClock), (thrown) => {
    assert.ok(thrown instanceof MusterError);
    assert.match(thrown.message, /^Cannot read .*journal\.ndjson: /);
    assert.equal(thrown.exitCode, 2);
    return true;
  });
  await writeFile(join(nothing, 'journal.ndjson'), '{"type":"heartbeat","lateMs":1,"atMs":1}\n');
  await assert.rejects(rebuild(nothing, systemClock), /does not say which run it is of/);
});

test('[RES-03] a journal of another schema is refused, and nothing is written', async (t) => {
  const { folder } = await writtenRun(t);
  const path = join(folder, 'journal.ndjson');
  const before = await readFile(join(folder, 'summary.json'), 'utf8');
  const other = (await readFile(path, 'utf8')).replace('"schema":1', '"schema":2');
  await writeFile(path, other.replace('mixed', 'other'));
  await assert.rejects(rebuild(folder, systemClock), (thrown) => {
    assert.ok(thrown instanceof MusterError);
    assert.match(thrown.message, /journal\.ndjson is of schema 2; this version reads schema 1$/);
    assert.equal(thrown.exitCode, 2);
    return true;
  });
  assert.equal(await readFile(join(folder, 'summary.json'), 'utf8'), before);
});

test('[RES-02] run.json and summary.json give the same verdict, also where a threshold failed or the end is missing', async (t) => {
  const expect = [
    {
      text: 'mixed.errors == 0',
      stage: 'mixed',
      operation: undefined,
      metric: 'errors',
      comparison: '==' as const,
      value: 0,
    },
  ];
  const failing = sampleRun({ plan: { expect } });
  for (const [records, exitCode, outcome] of [
    [failing, 1, 'completed'],
    [failing.filter(({ type }) => type !== 'end'), 130, 'interrupted'],
  ] as const) {
    const { folder, summary } = await writtenRun(t, records);
    await rebuild(folder, systemClock);
    const manifest = JSON.parse(await readFile(join(folder, 'run.json'), 'utf8')) as object;
    const verdict = { outcome, exit_code: exitCode, reason: summary.reason };
    assert.deepEqual({ ...manifest, ...verdict }, manifest);
    assert.deepEqual({ ...summary, ...verdict }, summary);
  }
});

test('[RES-02] standard tools read histograms.hlog, whose head says what is not of a whole run, and its lines add up to the summary', async (t) => {
  const lossy = whole.filter(
    (record) => record.type !== 'interval' || record.agent !== 1 || record.interval.first !== 2,
  );
  const interrupted = whole.filter(({ type }) => type !== 'end');
  for (const records of [whole, lossy, interrupted]) {
    const { folder, summary } = await writtenRun(t, records);
    const text = await readFile(join(folder, 'histograms.hlog'), 'utf8');
    const marks = text.split('\n').filter((line) => line.startsWith('#[INTERRUPTED: '));
    assert.deepEqual(
      marks,
      records === interrupted ? [`#[INTERRUPTED: ${summary.reason ?? ''}]`] : [],
    );
    for (const operation of ['read', 'write']) {
      const tag = `mixed.${operation}`;
      const lines = text.split('\n').filter((line) => line.startsWith('#') || line.includes(tag));
      const reader = new HistogramLogReader(lines.join('\n'), 64);
      const sum = reader.nextIntervalHistogram();
      assert.ok(sum);
      assert.equal(sum.tag, tag);
      for (let next = reader.nextIntervalHistogram(); next; next = reader.nextIntervalHistogram()) {
        sum.add(next);
      }
      const numbers = summary.stages[0]?.operations[operation];
      assert.ok(numbers?.service_ns);
      assert.equal(sum.totalCount, numbers.count);
      assert.equal(sum.getValueAtPercentile(50), numbers.service_ns.p50);
      assert.equal(sum.getValueAtPercentile(99), numbers.service_ns.p99);
      assert.equal(sum.getValueAtPercentile(99.9), numbers.service_ns.p99_9);
      assert.equal(sum.maxValue, numbers.service_ns.max);
      assert.equal(Math.round(sum.mean), numbers.service_ns.mean);
    }
  }
});

test('[RES-04] of a run that is not whole every file that can say so does, with the reason', async (t) => {
  const reason = '2 of 3 agents were lost';
  const lost = whole.map((record): JournalRecord =>
    record.type === 'end'
      ? { ...record, outcome: 'aborted', reason, exitCode: 5, notRepresentative: true }
      : record,
  );
  const { folder } = await writtenRun(t, lost);
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  for (const name of ['summary.json', 'run.json']) {
    const document = JSON.parse(await read(name)) as object;
    assert.deepEqual({ ...document, outcome: 'aborted', reason, exit_code: 5 }, document, name);
  }
  const { representative } = JSON.parse(await read('summary.json')) as { representative: boolean };
  assert.equal(representative, false);
  assert.match(
    await read('summary.txt'),
    /^ABORTED recorded: 2 of 3 agents were lost.*\n[^]*not representative/i,
  );
  const page = await read('report.html');
  assert.match(page, /<title>recorded: aborted<\/title>/);
  assert.match(page, /ABORTED<\/span>\s*\(exit code\s+5\): 2 of 3 agents were lost/);
  assert.match(page, />NOT REPRESENTATIVE</);
  assert.ok((await read('histograms.hlog')).includes(`#[ABORTED: ${reason}]\n`));
});

test('[RES-04] run.json says who took part, with clocks, states and facts', async (t) => {
  const { folder } = await writtenRun(t);
  const manifest = JSON.parse(await readFile(join(folder, 'run.json'), 'utf8')) as {
    outcome: string;
    started: string;
    agents: {
      clock: { offset_ns: string }[];
      states: { state: string }[];
      host: object;
      target: unknown;
    }[];
  };
  assert.equal(manifest.outcome, 'completed');
  assert.equal(manifest.started, '2025-11-21T04:40:00Z');
  assert.equal(manifest.agents.length, 3);
  const [first] = manifest.agents;
  assert.equal(first?.clock[0]?.offset_ns, '-123456789012345678');
  assert.deepEqual(
    first.states.map(({ state }) => state),
    ['IDLE', 'RUNNING', 'COMPLETED'],
  );
  assert.deepEqual(first.host, { cpus: 8, node: 'v20.20.0' });
  assert.deepEqual(
    manifest.agents.map(({ target }) => target),
    [{ realPath: '/mnt/bench' }, null, null],
  );
});

test('[RES-04] counts that come all the time do not have run.json written anew: it has them with the next news', async (t) => {
  const clock = new ManualClock();
  const results = await RunResults.open({
    parent: join(await temporary(t), 'results'),
    name: 'counts',
    configText: '',
    clock,
    onFailure: (line) => assert.fail(line),
  });
  const made = t.mock.method(Manifest.prototype, 'chunks').mock;
  const [run, ...others] = whole;
  assert.ok(run);
  results.record(run);
  clock.advance(1000);
  await results.flush();
  const before = made.callCount();
  assert.equal(before, 2, 'after a second, and with the flush');
  const counts = others.filter(({ type }) => type === 'clock' || type === 'linkMetrics');
  assert.deepEqual([...new Set(counts.map(({ type }) => type))].sort(), ['clock', 'linkMetrics']);
  for (const record of counts) results.record(record);
  clock.advance(60_000);
  assert.equal(made.callCount(), before);
  results.record({ type: 'transition', atMs: 1, agent: 0, from: 'IDLE', to: 'READY', reason: '' });
  clock.advance(1000);
  assert.equal(made.callCount(), before + 1);
  await results.flush();
  const text = await readFile(join(results.folder, 'run.json'), 'utf8');
  const { agents } = JSON.parse(text) as { agents: readonly { link_metrics: unknown }[] };
  assert.ok(agents.every(({ link_metrics: metrics }) => metrics !== null));
});
