import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  always,
  completed,
  exits,
  freeWithin,
  keepsNumbersOf,
  knowsClocks,
  labelled,
  neverSays,
  nobodyAccused,
  prints,
  reconnected,
  says,
  startsWithin,
  stoppedByAbort,
  wholeTimeLines,
} from '../../../../../src/controller/core/rehearsal/checks.js';
import type { Evidence } from '../../../../../src/controller/core/rehearsal/evidence.js';
import { judgeEvidence } from '../../../../../src/controller/core/rehearsal/verdict.js';
import type { Check } from '../../../../../src/controller/core/rehearsal/verdict.js';
import { Aggregate } from '../../../../../src/controller/core/aggregate.js';
import { intervalsCsv } from '../../../../../src/controller/shell/intervals-csv.js';
import { sampleRun } from '../../../../support/recorded-run.js';

/** Of a run of three agents and five seconds that went well. */
function soundEvidence(): Evidence {
  const aggregate = new Aggregate();
  for (const record of sampleRun()) aggregate.accept(record);
  const [header = '', ...lines] = [...intervalsCsv(aggregate)].join('').trimEnd().split('\n');
  const names = header.split(',');
  return {
    exitCode: 0,
    overdueMs: undefined,
    tookMs: 9_000,
    said: 'all is well',
    printed: '{"type":"summary"}',
    summary: aggregate.summary(),
    agents: ['agent-1', 'agent-2', 'agent-3'].map((id) => ({
      id,
      state: 'COMPLETED',
      reconnects: 1,
      links: [],
      clock: [{ offset_ns: '1000000', bound_ns: 50_000 }],
    })),
    rows: lines.map((line) =>
      Object.fromEntries(line.split(',').map((cell, index) => [names[index] ?? '', cell])),
    ),
    freeAfterMs: { 'agent-1': 100, 'agent-2': 200, 'agent-3': 300 },
    loadsLeft: [],
    notMade: undefined,
  };
}

const sound = soundEvidence();
const ids = ['agent-1', 'agent-2', 'agent-3'];

interface Row {
  readonly check: Check;
  readonly otherwise: Partial<Evidence>;
  readonly problem: RegExp;
}

function withSummary(change: (summary: NonNullable<Evidence['summary']>) => object) {
  const { summary } = sound;
  assert.ok(summary);
  return { summary: { ...summary, ...change(structuredClone(summary)) } };
}

function agentOne(change: object) {
  return withSummary(({ stages: [stage] }) => {
    const agents = { ...stage?.agents, 'agent-1': { ...stage?.agents['agent-1'], ...change } };
    return { stages: [{ ...stage, agents }] };
  });
}

const table: readonly Row[] = [
  { check: exits(0), otherwise: { exitCode: 4 }, problem: /^exit code 4/ },
  {
    check: exits(0),
    otherwise: { exitCode: 6, summary: undefined, said: 'ERROR: No room\nFree some space.' },
    problem: /^exit code 6: ERROR: No room$/,
  },
  {
    check: exits(0),
    otherwise: { exitCode: null, overdueMs: 60_000 },
    problem: /did not end within 60 s/,
  },
  {
    check: labelled('completed'),
    otherwise: withSummary(() => ({ outcome: 'partial' })),
    problem: /labelled partial/,
  },
  { check: labelled('completed'), otherwise: { summary: undefined }, problem: /no summary/ },
  {
    check: completed(3),
    otherwise: withSummary(({ coverage }) => ({ coverage: { ...coverage, agents_completed: 2 } })),
    problem: /^2 agents completed/,
  },
  { check: wholeTimeLines(ids), otherwise: { rows: sound.rows.slice(1) }, problem: /second 0 is/ },
  {
    check: wholeTimeLines(ids),
    otherwise: { rows: [...sound.rows, ...sound.rows] },
    problem: /missing or doubled/,
  },
  {
    check: wholeTimeLines(ids),
    otherwise: agentOne({ missing_seconds: 2 }),
    problem: /misses 2 seconds/,
  },
  { check: wholeTimeLines(ids), otherwise: { summary: undefined }, problem: /no summary/ },
  { check: always()[0]!, otherwise: { rows: sound.rows.slice(1) }, problem: /summary/ },
  { check: always()[0]!, otherwise: { summary: undefined }, problem: /no summary.json to add up/ },
  {
    check: keepsNumbersOf('agent-1'),
    otherwise: agentOne({ operations: {} }),
    problem: /no operation of agent-1/,
  },
  { check: says(/well/, ''), otherwise: { said: '' }, problem: /did not say/ },
  { check: neverSays(/hung/, ''), otherwise: { said: 'a\nx hung\nb' }, problem: /"x hung"/ },
  { check: nobodyAccused, otherwise: { said: 'agent-1 crashed' }, problem: /crashed/ },
  { check: prints(/summary/, ''), otherwise: { printed: '' }, problem: /not printed/ },
  { check: reconnected('agent-2'), otherwise: { agents: [] }, problem: /reconnected 0 times/ },
  {
    check: freeWithin(1000),
    otherwise: { freeAfterMs: { 'agent-1': undefined } },
    problem: /agent-1 was not free within 1 s/,
  },
  {
    check: freeWithin(1000),
    otherwise: { freeAfterMs: { 'agent-2': 1001 } },
    problem: /agent-2 was not free/,
  },
  { check: freeWithin(1000), otherwise: { loadsLeft: [4711] }, problem: /4711 was left behind/ },
  {
    check: knowsClocks([1, 1, 1]),
    otherwise: { agents: sound.agents.map((agent) => ({ ...agent, clock: [] })) },
    problem: /nothing is known/,
  },
  {
    check: knowsClocks([1, 1, 1]),
    otherwise: {
      agents: sound.agents.map((agent) => ({
        ...agent,
        clock: [{ offset_ns: '5000000', bound_ns: 50_000 }],
      })),
    },
    problem: /known to 4 ms, claimed 0.05 ms/,
  },
  {
    check: startsWithin(10),
    otherwise: withSummary(({ stages: [stage] }) => ({
      stages: [{ ...stage, start: { of: 'first_operation', spread_ns: 20e6, bound_ns: 0 } }],
    })),
    problem: /20.0 ms apart/,
  },
];

test('[LINK-14] every check of a verdict passes on a sound run and fails on one that is not', () => {
  for (const { check, otherwise, problem } of table) {
    const one = judgeEvidence(sound, [check]);
    assert.deepEqual(one.problems, [], check.expected);
    assert.equal(one.passed, true);
    const other = judgeEvidence({ ...sound, ...otherwise }, [check]);
    assert.equal(other.passed, false, check.expected);
    assert.match(other.problems.join(), problem);
  }
});

test('an aborted agent must say so itself', () => {
  const aborted = agentOne({ ended_by: 'aborted' });
  assert.match(judgeEvidence(sound, [stoppedByAbort]).problems.join(), /agent-1 ended by duration/);
  assert.match(
    judgeEvidence({ ...sound, ...aborted }, [stoppedByAbort]).problems.join(),
    /agent-2 ended by duration/,
  );
  assert.match(
    judgeEvidence({ ...sound, summary: undefined }, [stoppedByAbort]).problems.join(),
    /no agent/,
  );
});

test('a fault that could not be made is no pass', () => {
  const { passed, problems } = judgeEvidence({ ...sound, notMade: 'too late' }, [exits(0)]);
  assert.equal(passed, false);
  assert.deepEqual(problems, ['the fault could not be made: too late']);
});
