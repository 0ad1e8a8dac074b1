import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remoteFilesOf, remoteFileWarnings } from '../../../../src/controller/core/remote-files.js';
import { Aggregate } from '../../../../src/controller/core/aggregate.js';
import type { CheckOutcome } from '../../../../src/controller/shell/check-fleet.js';
import { checkText } from '../../../../src/controller/view/check-text.js';
import { planOf } from '../../../support/example-plan.js';
import { at, RecordedAgent, runRecord } from '../../../support/recorded-run.js';

/** Facts of an agent that has the file systems of `mounts` (point, type, device), about these paths. */
function facts(mounts: readonly (readonly string[])[], ...paths: readonly string[]): object {
  const given = paths.map((path) => {
    const found = mounts.findLast(([point = '']) => point === '/' || path.startsWith(`${point}/`));
    const [point, type, device] = found ?? [];
    return { path, sizeBytes: 1, mount: found ? { point, type, device, options: [] } : null };
  });
  return { realPath: null, mount: null, given };
}

const root = ['/', 'ext4', '/dev/vda'] as const;

test('files on a file system of the network are the same on all hosts that have mounted it, wherever', () => {
  const rows = [
    [['/mnt/a', 'nfs4', 'fs1:/export'], '/mnt/a/x/y', 'fs1:/export/x/y (nfs4)'],
    [['/srv', 'nfs', 'fs1:/'], '/srv/x', 'fs1:/x (nfs)'],
    [['/', 'nfs', 'fs1:/pool'], '/x', 'fs1:/pool/x (nfs)'],
    [['/s', 'cifs', '//fs2/share'], '/s/x', '//fs2/share/x (cifs)'],
    [
      ['/c', 'ceph', '10.0.0.1:6789,10.0.0.2:6789:/'],
      '/c/x',
      '10.0.0.1:6789,10.0.0.2:6789:/x (ceph)',
    ],
    [['/l', 'lustre', 'mgs@tcp:/scratch'], '/l/x', 'mgs@tcp:/scratch/x (lustre)'],
    [['/b', 'beegfs', 'beegfs_nodev'], '/b/x', 'beegfs_nodev/x (beegfs)'],
  ] as const;
  for (const [mount, path, place] of rows) {
    assert.deepEqual(remoteFilesOf(facts([root, mount], path)), [place]);
  }
  for (const local of [
    ['/t', 'tmpfs', 'tmpfs'],
    ['/z', 'zfs', 'pool/ds'],
    ['/o', 'overlay', 'overlay'],
  ]) {
    assert.deepEqual(remoteFilesOf(facts([root, local], `${local[0] ?? ''}/x`, '/y')), []);
  }
  for (const odd of [
    undefined,
    null,
    'x',
    {},
    { given: 7 },
    { given: [null, 7, { path: 7, mount: {} }] },
  ]) {
    assert.deepEqual(remoteFilesOf(odd), []);
  }
});

test('[MEAS-06] agents on hosts of their own that all write to one existing file of the network are told, once', () => {
  const nfs = (point: string) => [root, [point, 'nfs4', 'fs1:/export']];
  const warned = (mix: string, boots: readonly string[], more = ''): readonly string[] => {
    const { plan } = planOf(`
agents: ['a:1', 'b:1', 'c:1']
dataset: { existing: [/mnt/x, /mnt/y, /local] }
stages: [{ name: s, mix: ${mix}, duration: 5s }]
${more}`);
    const paths = [
      ['/mnt/x', '/mnt/y', '/local'],
      ['/srv/x', '/srv/y', '/local'],
      ['/mnt/z', '/local'],
    ];
    const agents = plan.agents.map((agent, index) => ({
      plan: agent,
      bootId: boots[index],
      remoteFiles: remoteFilesOf(
        facts(nfs(index === 1 ? '/srv' : '/mnt'), ...(paths[index] ?? [])),
      ),
    }));
    return remoteFileWarnings(plan, plan.stages, agents);
  };
  const apart = ['one', 'two', 'three'];
  assert.deepEqual(warned('write', apart), [
    'agents agent-1 and agent-2 all write to all of fs1:/export/x (nfs4) and 1 more file, on hosts of their own: give each its own ({agent} or {index} in the path), or its part (namespace: shared)',
  ]);
  assert.equal(warned('write', []).length, 1, 'hosts that do not say which they are');
  // Told with the host that they share.
  assert.deepEqual(warned('write', ['one', 'one', 'three']), []);
  assert.deepEqual(warned('read', apart), []);
  assert.deepEqual(warned('write', apart, 'namespace: shared'), []);
});

test('[MEAS-06] `check` says it of what the agents have told of their targets, and so do the results', () => {
  const { plan } = planOf(`
agents: ['a:1', 'b:1']
dataset: { existing: [/mnt/x] }
stages: [{ name: s, mix: write, duration: 5s }]`);
  const target = facts([root, ['/mnt', 'nfs4', 'fs1:/export']], '/mnt/x');
  const sentence =
    /agents agent-1 and agent-2 all write to all of fs1:\/export\/x \(nfs4\), on hosts of their own/;
  const ofAgent = (index: number) => ({
    version: '',
    hostname: '',
    instanceId: '',
    bootId: String(index),
    host: {},
  });

  const outcomes = plan.agents.map((agent) => ({
    agent,
    facts: ofAgent(agent.index),
    report: target,
    problems: [],
  }));
  assert.match(checkText(plan, outcomes as unknown as CheckOutcome[]), sentence);

  const aggregate = new Aggregate();
  aggregate.accept(at(0, runRecord(plan)));
  for (const { index } of plan.agents) {
    aggregate.accept(at(0, { type: 'agent', agent: index, facts: { ...ofAgent(index), target } }));
  }
  aggregate.accept(at(1, { type: 'stageStart', stage: 0, epoch: 1, t0Ns: 0n, agents: [0, 1] }));
  const interval = new RecordedAgent(0).interval({ write: { latenciesNs: [1] } });
  aggregate.accept(at(2, { type: 'interval', agent: 0, interval }));
  assert.match(aggregate.summary().warnings.join('\n'), sentence);
});
