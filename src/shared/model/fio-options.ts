/**
 * Which job options of fio a stage may set. A controller must not reach beyond the dataset through an agent's fio, so
 * this is a list of what may pass: nothing in it names a file, runs a command or opens a connection. The agent checks it
 * again, whatever came over the wire.
 */
import type { Fsync } from './plan.js';

/** Engines that work on the dataset's files. */
export const fioEngines = [
  'psync',
  'sync',
  'vsync',
  'pvsync',
  'pvsync2',
  'libaio',
  'io_uring',
  'posixaio',
  'mmap',
  'splice',
] as const;

/** Of which a thread can have several operations in flight; fio caps the depth of the others at one. */
const asynchronous: readonly string[] = ['libaio', 'io_uring', 'posixaio'];

/** The ioengine of a stage's job options: fio's own default here, too. */
export function engineOf(fio: Readonly<Record<string, string>> | undefined): string {
  return fio?.['ioengine'] ?? 'psync';
}

export function keepsDepth(engine: string): boolean {
  return asynchronous.includes(engine);
}

/** Whether O_DIRECT does what it says: a mapping is in the page cache, however the file was opened. */
export function bypassesCache(engine: string): boolean {
  return engine !== 'mmap';
}

/**
 * Whether fio's latencies of syncs are those of the syncs. With libaio they count from the last write of the same unit
 * (fio 3.33: 6.5 ms where the kernel took 46 us); those at the end of a stage are not in them.
 */
export function timesSyncs(engine: string, fsync: Fsync): boolean {
  return engine !== 'libaio' && fsync !== 'end';
}

/** Muster's own words for what fio calls otherwise, so that each thing is said in one place. */
const elsewhere: Readonly<Record<string, string>> = {
  rw: 'mix and access',
  readwrite: 'mix and access',
  rwmixread: 'mix',
  rwmixwrite: 'mix',
  random_distribution: 'access',
  norandommap: 'access',
  bs: 'block_size',
  blocksize: 'block_size',
  direct: 'direct',
  buffered: 'direct',
  numjobs: 'threads',
  runtime: 'duration',
  time_based: 'duration',
  number_ios: 'max_operations',
  io_size: 'max_bytes',
  size: 'max_bytes and dataset.file_size',
  iodepth: 'iodepth',
  fsync: 'fsync',
  fdatasync: 'fsync and fdatasync',
  sync: 'sync',
  end_fsync: 'fsync',
  filename: 'dataset',
  directory: 'target',
  nrfiles: 'dataset.files',
  filesize: 'dataset.file_size',
};

/** What fio has an option for and Muster's own engines a key; in a stage that fio runs it is the option. */
const alike: Readonly<Record<string, string>> = {
  thinktime: 'think_time',
  rate_iops: 'rate',
  bssplit: 'block_size',
  bsrange: 'block_size',
  buffer_compress_percentage: 'dataset.content',
  dedupe_percentage: 'dataset.content',
  randseed: 'seed',
  zonemode: 'access',
  zonesize: 'access',
  zonerange: 'access',
};

/** Words of other tools, and of no tool in particular. */
const commonly: Readonly<Record<string, string>> = {
  ramp_time: 'warmup',
  rampup: 'warmup',
  queue_depth: 'iodepth',
  queuedepth: 'iodepth',
  qd: 'iodepth',
  depth: 'iodepth',
  jobs: 'threads',
  workers: 'threads',
  concurrency: 'threads',
  xfersize: 'block_size',
  transfer_size: 'block_size',
  iops: 'rate',
  iorate: 'rate',
  elapsed: 'duration',
  time: 'duration',
  rdpct: 'mix',
  rwmix: 'mix',
  pattern: 'access',
  hosts: 'agents',
  clients: 'agents',
  path: 'target',
};

export const fioOptions: readonly string[] = [
  'allrandrepeat',
  'bs_is_seq_rand',
  'bs_unaligned',
  'bsrange',
  'bssplit',
  'buffer_compress_chunk',
  'buffer_compress_percentage',
  'cmdprio',
  'cmdprio_percentage',
  'cpus_allowed',
  'cpus_allowed_policy',
  'dedupe_percentage',
  'fadvise_hint',
  'file_service_type',
  'fixedbufs',
  'force_async',
  'fsync_on_close',
  'hipri',
  'hipri_percentage',
  'invalidate',
  'io_submit_mode',
  'ioengine',
  'iodepth_batch',
  'iodepth_batch_complete_max',
  'iodepth_batch_complete_min',
  'iodepth_batch_submit',
  'iodepth_low',
  'iomem_align',
  'latency_percentile',
  'latency_target',
  'latency_window',
  'max_latency',
  'nonvectored',
  'nowait',
  'offset',
  'offset_increment',
  'percentage_random',
  'prio',
  'prioclass',
  'random_generator',
  'randrepeat',
  'randseed',
  'rate',
  'rate_cycle',
  'rate_iops',
  'rate_iops_min',
  'rate_min',
  'rate_process',
  'refill_buffers',
  'registerfiles',
  'rw_sequencer',
  'scramble_buffers',
  'serialize_overlap',
  'softrandommap',
  'sqthread_poll',
  'sqthread_poll_cpu',
  'sync_file_range',
  'thinktime',
  'thinktime_blocks',
  'thinktime_blocks_type',
  'thinktime_spin',
  'uncached',
  'write_barrier',
  'zero_buffers',
  'zonemode',
  'zonerange',
  'zonesize',
  'zoneskip',
];

/** No path, no expansion (`$`, backquotes), no second line and no comment sign; `/` only where fio separates with it. */
const plainValue = /^[A-Za-z0-9_.,:%+=-]{1,256}$/;
const splitValue = /^[A-Za-z0-9_.,:%/+-]{1,256}$/;

/** What to write for a word of fio's or another tool's that is no key here, as the end of a sentence; undefined when it is none. */
export function inOurWords(word: string): string | undefined {
  const own = Object.hasOwn(elsewhere, word) ? elsewhere[word] : undefined;
  if (own !== undefined) {
    return own.split(' ').includes(word) ? undefined : `fio's ${word} is ${own} here`;
  }
  const similar = Object.hasOwn(alike, word) ? alike[word] : undefined;
  if (similar !== undefined) {
    return `fio's ${word} is ${similar} here, and fio: { ${word}: … } in a stage that fio runs`;
  }
  const meant = Object.hasOwn(commonly, word) ? commonly[word] : undefined;
  if (meant !== undefined) return `${word} is ${meant} here`;
  // `rate` is a key of ours, too, in a stage.
  if (!fioOptions.includes(word) || word === 'rate') return undefined;
  return `an option of fio's goes into a stage's fio: { ${word}: … }`;
}

/** Why a stage may not have this option, as the end of a sentence about it; undefined when it may. */
export function fioProblem(name: string, value: string): string | undefined {
  const own = Object.hasOwn(elsewhere, name) ? elsewhere[name] : undefined;
  if (own !== undefined) return `is not set here: Muster's ${own} says it`;
  if (!fioOptions.includes(name)) {
    return `is not among the fio options a stage may set (docs/engines.md has the list)`;
  }
  if (name === 'ioengine' && !(fioEngines as readonly string[]).includes(value)) {
    return `"${value}" is not among the engines that work on the dataset's files: ${fioEngines.join(', ')}`;
  }
  if (!(name === 'bssplit' ? splitValue : plainValue).test(value)) {
    return `has a value that is not passed on: letters, digits and ".,:%+=-" only`;
  }
  return undefined;
}
