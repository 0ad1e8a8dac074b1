import assert from 'node:assert/strict';
import { statfsSync } from 'node:fs';
import { test } from 'node:test';
import { Desk, controller } from '../support/cli-run.js';

/** The example of the design (5-config-and-results §1), without the certificates that it only hints at. */
const nightly = `
name: nightly-nvme
agents:
  - node[01-03]:7761
  - { address: node04:7761, id: big-node, target: /mnt/other, threads: 32, labels: { rack: b } }
target: /mnt/bench
namespace: private
seed: 42
dataset:
  name: ds1
  files: 64
  file_size: 1GiB
  directories: { width: 10, depth: 2 }
  content: random
  keep: false
stages:
  - name: seq-write
    mix: write
    block_size: 1MiB
    access: sequential
    threads: 8
    direct: true
    duration: 60s
  - name: rand-read
    mix: read
    block_size: 4KiB
    access: { zipf: 1.1 }
    threads: 8
    iodepth: 16
    rate: 20000/s
    arrival: poisson
    warmup: 10s
    duration: 5m
expect:
  - rand-read.read.response.p99 < 5ms
  - rand-read.errors == 0
failure_policy: majority
timeouts: { connect: 5s, hello: 10s, prepare_silence: 30s, prepare_io_stall: 10m, ping_after: 60s, hung_after: 60s, collect: 10s,
            drain: 30s, abort: 5s, cleanup: 60s, reconnect_window: 30s, lease: 150s, operation: off }
results: { folder: results, formats: [json, csv, hlog, html] }
`;

const tmpfs = 0x01021994;

test("[CONF-01] [MEAS-06] the design's example is a good plan, and runs when it is shortened: a Poisson schedule with iodepth and a warm-up", async (t) => {
  const desk = new Desk(t);
  const file = desk.file('nightly.yaml', nightly);
  const validated = await controller('validate', file);
  assert.deepEqual([validated.code, validated.stderr], [0, '']);
  assert.match(validated.stdout, /iodepth: 16\n(?: .*\n)* +rate: 20000\/s\n +arrival: poisson\n/);

  const shorter = [
    `target=${desk.target}`,
    'dataset.files=4',
    'dataset.file_size=4MiB',
    'stages.0.duration=1s',
    'stages.0.threads=2',
    'stages.1.duration=2s',
    'stages.1.warmup=1s',
    'stages.1.threads=2',
    'stages.1.rate=2000/s',
    // A busy machine may be slower than the example asks for.
    'expect.0=rand-read.read.response.p99 < 1h',
    ...(statfsSync(desk.target).type === tmpfs ? ['stages.0.direct=false'] : []),
  ];
  const sets = shorter.flatMap((set) => ['--set', set]);
  const run = await desk.run(file, '--embedded', '2', ...sets);
  assert.equal(run.code, 0, run.stdout + run.stderr);
  const [, stage] = desk.newest().summary.stages;
  const read = stage?.operations['read'];
  assert.ok(stage?.rate && read?.response_ns);
  // Exact but for the randomness of Poisson (five standard deviations); what a busy machine left undone is counted.
  const issued = read.count + read.unissued_schedules;
  assert.ok(Math.abs(issued - 4000) <= 5 * Math.sqrt(4000), String(issued));
  const warm = stage.warmup?.operations['read']?.count ?? 0;
  assert.ok(warm > 0 && warm <= 2000 + 5 * Math.sqrt(2000), String(warm));
  assert.equal(stage.rate.planned_per_second, 2000);
});
