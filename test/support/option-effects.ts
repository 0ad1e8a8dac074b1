/**
 * For each key of the config a test that fails when the programs parse it and then do nothing with it: the file below
 * `test/`, and the title of the test (of a title with values in it, a part without). That the values reach the plan and
 * the agents has tests of its own, for all keys at once: every-key.test.ts and split-plan.test.ts.
 */
const optionCalls =
  'integration/agent/runner/option-calls.test.ts: [CONF-03] [ENG-01] the options of a stage that nothing but the kernel sees are seen by it, each in its stage alone';
const agentEntries =
  'cli/plan-places.test.ts: [CONF-03] each entry of agents is dialled, and has the id, target, threads and labels that it says';
const resultsPlace =
  'cli/plan-places.test.ts: [CONF-03] results.folder and name say where the results of a run are';
const madeAndGone =
  'cli/dataset.test.ts: [SAFE-01] [CLI-01] [RES-04] prepare, run --skip-prepare, cleanup: the dataset is made once, kept, and gone at the end';
const samePlaces =
  'cli/same-seed.test.ts: [MEAS-02] the same config and seed write to the same places on the disk; another seed chooses others';
const lognormalBounds =
  'unit/agent/runner/choosing/sizes.test.ts: lognormal: stays within min and max without heaping up there, in multiples of their divisor';
const lognormalShape =
  'unit/agent/runner/choosing/sizes.test.ts: lognormal: mean and standard deviation are those that were asked for';
const weightedFiles = 'unit/agent/runner/choosing/sizes.test.ts: weighted: by the weights';
const preparing =
  'integration/agent/runner/option-calls.test.ts: [CONF-03] dataset.prepare: the files are made by as many threads, in writes as large and as direct, as it says';
const madeFiles =
  'integration/agent/runner/dataset.test.ts: [SAFE-01] makes marker, manifest and all files, and reports progress up to the total';
const content =
  'integration/agent/runner/content.test.ts: prepare, write and put write what compresses and repeats as the plan says';
const blockLists =
  'integration/agent/runner/sizes.test.ts: reads and writes blocks of a list and of a range, and counts the bytes that were moved';
const ownBlocks =
  'unit/agent/runner/choosing/sizes.test.ts: reads and writes of a mix have sizes of their own';
const hotspot =
  'unit/agent/runner/choosing/pickers.test.ts: gives the hot share of the blocks its share of the operations, evenly';
const limits =
  'integration/agent/runner/load.test.ts: keeps the limits of operations and bytes exactly, whatever the number of threads';
const paced =
  'cli/pacing.test.ts: [MEAS-06] a rate is kept through the binaries, in operations, in bytes and as a ramp';
const scheduled =
  'integration/agent/runner/file-options.test.ts: [MEAS-06] keeps a schedule, with a warm-up and response times';
const onErrors =
  'cli/pacing.test.ts: [CONF-03] errors fail an agent where the config says so, and are only counted where it does not';
const hung =
  'unit/controller/core/plan-timeouts.test.ts: [CONF-03] timeouts.ping_after and hung_after: an agent without stats is asked, then hung';
const certificates =
  'cli/security.test.ts: [LINK-08] with certificates on both sides, from flags or the config, a run completes';

/** The file below `test/`, and the title. */
export type TestName = `${string}.test.ts: ${string}`;

export const optionEffects: Readonly<Record<string, TestName>> = {
  name: resultsPlace,
  agents: agentEntries,
  'agents[].address': agentEntries,
  'agents[].id': agentEntries,
  'agents[].target': agentEntries,
  'agents[].threads': agentEntries,
  'agents[].labels': agentEntries,
  target: madeAndGone,
  namespace:
    'cli/dataset.test.ts: [SAFE-03] a run removes what it made, and only that; a shared dataset is made once by all agents',
  seed: samePlaces,
  'dataset.name': madeAndGone,
  'dataset.files': madeAndGone,
  'dataset.file_size': madeFiles,
  'dataset.file_size.uniform':
    'unit/agent/runner/choosing/sizes.test.ts: neighbouring files are independent; parts add up to the whole',
  'dataset.file_size.lognormal.mean': lognormalShape,
  'dataset.file_size.lognormal.sd': lognormalShape,
  'dataset.file_size.lognormal.min': lognormalBounds,
  'dataset.file_size.lognormal.max': lognormalBounds,
  'dataset.file_size[].size': weightedFiles,
  'dataset.file_size[].weight': weightedFiles,
  'dataset.directories.width': madeFiles,
  'dataset.directories.depth': madeFiles,
  'dataset.existing':
    'cli/given.test.ts: [SAFE-05] an existing file: refused without the operator’s flag, read with --allow-existing, written only with --allow-devices',
  'dataset.devices':
    'cli/given.test.ts: [SAFE-05] a block device inside --root and with consent is written by embedded agents and checked beforehand',
  'dataset.content': content,
  'dataset.content.compress': content,
  'dataset.content.dedup': content,
  'dataset.prepare':
    'integration/agent/runner/dataset.test.ts: [SAFE-01] with prepare none makes empty files; what a stage wrote counts as complete before the first one that reads',
  'dataset.prepare.threads': preparing,
  'dataset.prepare.block_size': preparing,
  'dataset.prepare.direct': preparing,
  'dataset.verify':
    'cli/verify.test.ts: [MEAS-02] verify: what was prepared and overwritten yesterday is checked today; one wrong byte on the disk is found, named, and fails the run',
  'dataset.keep':
    'cli/dataset.test.ts: [SAFE-03] what Muster did not make survives the cleanup, and is named',
  stages: 'integration/run-results/sums.test.ts: summary = agents = intervals = journal',
  'stages[].name': 'integration/run-results/sums.test.ts: summary = agents = intervals = journal',
  'stages[].mix':
    'unit/agent/runner/choosing/operation-stream.test.ts: draws kinds by their weights',
  'stages[].block_size': 'integration/run-results/sums.test.ts: bytes are operations × size',
  'stages[].block_size.uniform': blockLists,
  'stages[].block_size.read': ownBlocks,
  'stages[].block_size.read.uniform': blockLists,
  'stages[].block_size.read[].size': blockLists,
  'stages[].block_size.read[].weight': blockLists,
  'stages[].block_size.write': ownBlocks,
  'stages[].block_size.write.uniform': blockLists,
  'stages[].block_size.write[].size': blockLists,
  'stages[].block_size.write[].weight': blockLists,
  'stages[].block_size[].size': blockLists,
  'stages[].block_size[].weight': blockLists,
  'stages[].access': samePlaces,
  'stages[].access.zipf':
    'unit/agent/runner/choosing/pickers.test.ts: is as steep as `access` says: the share of the most popular block is that of its θ',
  'stages[].access.hotspot.data': hotspot,
  'stages[].access.hotspot.operations': hotspot,
  'stages[].access.strided.chunk':
    'unit/agent/runner/choosing/pickers.test.ts: lets the workers of all agents take turns, chunk by chunk, and covers every block once',
  'stages[].access.strided.stride':
    'unit/agent/runner/choosing/pickers.test.ts: with a stride takes a chunk of every stride in the worker’s own part',
  'stages[].verify':
    'cli/verify.test.ts: verify: get checks whole files of any size, and a stage may leave the checking out',
  'stages[].threads': agentEntries,
  // Its job options one by one: the test of a refused option, beside this one.
  'stages[].fio':
    'cli/fio-stages.test.ts: [ENG-02] [RES-02] the hosts’ fio makes the load; its operations are in every file of the results and add up',
  'stages[].iodepth':
    'integration/agent/runner/file-options.test.ts: [RPC-08] has thousands of operations in flight on two threads',
  'stages[].direct': optionCalls,
  'stages[].noatime': optionCalls,
  'stages[].sync': optionCalls,
  'stages[].fsync': optionCalls,
  'stages[].fdatasync': optionCalls,
  'stages[].drop_cache':
    'integration/agent/runner/file-options.test.ts: takes the files out of the page cache before the stage, and says what it could do',
  'stages[].duration': scheduled,
  'stages[].shift':
    'integration/agent/runner/dataset.test.ts: with shift 1 each agent reads and verifies what the next one made, in its own folder’s neighbour',
  'stages[].max_operations': limits,
  'stages[].max_bytes': limits,
  'stages[].rate': paced,
  'stages[].arrival': scheduled,
  'stages[].think_time': paced,
  'stages[].warmup': paced,
  'stages[].max_error_rate': onErrors,
  'stages[].error_policy': onErrors,
  expect:
    'cli/exit-codes.test.ts: [CLI-02] 1: completed, but an expectation failed: said with the measured value, results are whole',
  failure_policy:
    'unit/controller/core/run-loss.test.ts: [RUN-19] failure_policy any: one survivor is enough, the result is partial',
  'timeouts.connect':
    'integration/controller/agent-links.test.ts: [CONF-03] a host that takes the connection and says nothing is given up after timeouts.connect',
  'timeouts.hello':
    'integration/controller/agent-links.test.ts: [RUN-01] whatever keeps a dial from an agent is told to the run in its own words',
  'timeouts.prepare_silence':
    'unit/controller/core/plan-timeouts.test.ts: [CONF-03] timeouts.prepare_silence: so long an agent may say nothing while it prepares',
  'timeouts.prepare_io_stall':
    'unit/controller/core/plan-timeouts.test.ts: [CONF-03] timeouts.prepare_io_stall: so long an agent that answers may get no further while it prepares',
  'timeouts.ping_after': hung,
  'timeouts.hung_after': hung,
  'timeouts.collect':
    'unit/controller/core/plan-timeouts.test.ts: [CONF-03] timeouts.collect: so long a silent agent is waited for after the end of a stage',
  'timeouts.drain':
    'unit/agent/core/ending.test.ts: operations that hang after the end of the last stage are abandoned, and the run completes',
  'timeouts.abort':
    'unit/controller/core/plan-timeouts.test.ts: [CONF-03] timeouts.abort: so long an agent that does not confirm an abort is waited for',
  'timeouts.cleanup':
    'unit/controller/core/plan-timeouts.test.ts: [CONF-03] timeouts.cleanup: so long an agent may get no further with the removal of its dataset',
  'timeouts.reconnect_window':
    'unit/controller/core/plan-timeouts.test.ts: [CONF-03] timeouts.reconnect_window: so long a lost connection is dialled again',
  'timeouts.lease':
    'unit/agent/core/lease.test.ts: the run’s own lease and window are used once it is prepared',
  'timeouts.operation': onErrors,
  'limits.concurrency':
    'unit/controller/core/check-plan.test.ts: [RUN-16] concurrency above the limit is refused, of a stage and of an agent',
  max_start_spread:
    'unit/controller/core/summary.test.ts: [RUN-20] a start spread above max_start_spread is warned about',
  'results.folder': resultsPlace,
  'results.formats':
    'unit/controller/shell/run-results.test.ts: [CONF-03] [RES-01] results.formats says which files are made, and each agent has its labels in run.json',
  'tls.ca': certificates,
  'tls.cert': certificates,
  'tls.key': certificates,
};
