import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workloadText } from '../../../../src/controller/core/workload-text.js';
import type { StagePlan } from '../../../../src/shared/model/plan.js';
import { planOf } from '../../../support/example-plan.js';

function told(stage: string, agents = '[a]'): string {
  const { plan } = planOf(`
agents: ${agents}
target: /mnt/bench
dataset: { files: 8, file_size: 1MiB, verify: true }
stages: [{ name: s, verify: false, duration: 6s, ${stage} }]`);
  const [first] = plan.stages;
  assert.ok(first);
  const text = workloadText(first, plan.agents);
  const fromJournal = JSON.parse(JSON.stringify(first)) as StagePlan;
  assert.equal(workloadText(fromJournal, plan.agents), text, 'by report, too');
  return text;
}

test('[RES-05] a stage is told as in a config, without what is as usual', () => {
  assert.equal(
    told(
      'mix: { read: 70, write: 30 }, block_size: 4KiB, access: random, threads: 4, direct: true',
    ),
    'mix: { read: 70, write: 30 }, block_size: 4KiB, access: random, threads: 4, direct: true, duration: 6s',
  );
  assert.equal(
    told('mix: write, block_size: { uniform: [4KiB, 16KiB] }'),
    'mix: write, block_size: { uniform: [4KiB, 16KiB] }, access: sequential, threads: 1, duration: 6s',
  );
  assert.equal(
    told('mix: read'),
    'mix: read, block_size: 1MiB, access: sequential, threads: 1, duration: 6s',
  );
});

test('[RES-05] block size and order are left out where no operation of the stage has any', () => {
  assert.equal(told('mix: stat'), 'mix: stat, access: sequential, threads: 1, duration: 6s');
  assert.equal(told('mix: put'), 'mix: put, block_size: 1MiB, threads: 1, duration: 6s');
  assert.equal(told('mix: mkdir, threads: 2'), 'mix: mkdir, threads: 2, duration: 6s');
});

test('[RES-05] how data is forced out, rates and distributions are told', () => {
  assert.equal(
    told(
      'mix: write, fsync: 8, fdatasync: true, rate: [100/s, 200/s], max_bytes: 1GiB, warmup: 2s',
    ),
    'mix: write, block_size: 1MiB, access: sequential, threads: 1, fsync: 8, fdatasync: true, duration: 6s, max_bytes: 1GiB, rate: [100/s, 200/s], arrival: constant, warmup: 2s',
  );
  assert.match(
    told('mix: read, block_size: 4KiB, access: { hotspot: { data: 20%, operations: 80% } }'),
    /access: \{ hotspot: \{ data: 20%, operations: 80% \} \}/,
  );
});

test('[RES-05] agents with threads of their own are named, the first five of many', () => {
  const two = '[{ address: a, id: small, threads: 1 }, b, { address: c, id: big, threads: 6 }]';
  assert.match(told('mix: read, threads: 2', two), /threads: 2 \(small: 1, big: 6\), duration/);
  assert.match(
    told('mix: read, threads: 2', '[{ address: "n[1-7]", threads: 3 }]'),
    /threads: 2 \(agent-1: 3, agent-2: 3, agent-3: 3, agent-4: 3, agent-5: 3 and 2 more\)/,
  );
});
