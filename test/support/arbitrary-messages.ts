/** fast-check arbitraries for every kind of message, over the whole range of every field. */
import fc from 'fast-check';
import { agentStates } from '../../src/shared/model/agent-state.js';
import { operationKinds } from '../../src/shared/model/operation.js';
import type {
  AgentMessage,
  ControllerMessage,
  Interval,
  Message,
  OperationStats,
  Owner,
} from '../../src/shared/model/messages.js';

const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true });

export const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const count = fc.maxSafeNat();
const bytes = fc.uint8Array({ maxLength: 64 });
const text = fc.string({ maxLength: 40 });
const share = fc.double({ min: 0, max: 64, noNaN: true });
const state = fc.constantFrom(...agentStates);

const errorCount = record({ code: text, count });
const stats: fc.Arbitrary<OperationStats> = record({
  operation: fc.constantFrom(...operationKinds),
  count,
  bytes: count,
  errors: fc.array(errorCount, { maxLength: 3 }),
  missedSchedules: count,
  unissuedSchedules: count,
  service: bytes,
  response: bytes,
  failed: bytes,
});
const operations = fc.array(stats, { maxLength: 4 });

export const anInterval: fc.Arbitrary<Interval> = record({
  stage: uint32,
  first: uint32,
  last: uint32,
  operations,
  inFlight: uint32,
  oldestInFlightNs: count,
  sampledLateNs: count,
  runnerCpu: share,
  hostCpu: share,
  runnerLoopDelayNs: count,
  busiestThreadCpu: share,
  lateWakeUps: uint32,
  runnerGcNs: count,
  controlLoopDelayNs: count,
  controlGcNs: count,
});

const owner: fc.Arbitrary<Owner> = record({ runId: text, identity: text, sinceUnixMs: count });
const kind = <K extends string>(name: K): fc.Arbitrary<K> => fc.constant(name);

const common = [
  record({ kind: kind('ping'), id: uint32 }),
  record({ kind: kind('pong'), id: uint32 }),
  record({ kind: kind('goodbye'), reason: text, keep: fc.boolean() }),
] as const;

export const controllerMessages: fc.Arbitrary<ControllerMessage> = fc.oneof(
  ...common,
  record({ kind: kind('lease'), count: uint32 }),
  record({ kind: kind('probe'), id: uint32, t1Ns: uint64 }),
  record({ kind: kind('prepare'), assignment: text }),
  record({ kind: kind('start'), stage: uint32, epoch: uint32, atNs: uint64 }),
  record({ kind: kind('go'), stage: uint32, epoch: uint32 }),
  record({ kind: kind('abort'), reason: text }),
  record({ kind: kind('cleanup') }),
  record({ kind: kind('fetch'), abort: fc.boolean(), reason: text }),
  record({ kind: kind('fetched') }),
);

export const agentMessages: fc.Arbitrary<AgentMessage> = fc.oneof(
  ...common,
  record({
    kind: kind('heartbeat'),
    state,
    loopDelayNs: count,
    agentRssBytes: count,
    runnerRssBytes: count,
    operations: count,
    inFlight: uint32,
    oldestInFlightNs: count,
    runnerSilenceNs: count,
    starvedThreads: uint32,
  }),
  record({
    kind: kind('probeReply'),
    id: uint32,
    t1Ns: uint64,
    t2Ns: uint64,
    t3Ns: uint64,
    unixMs: count,
  }),
  record({ kind: kind('state'), state, reason: text }),
  record({
    kind: kind('progress'),
    phase: fc.constantFrom('prepare', 'cleanup', 'stage'),
    filesDone: count,
    filesTotal: count,
    bytesDone: count,
    bytesTotal: count,
  }),
  record({
    kind: kind('marked'),
    prepared: fc.option(record({ files: count, bytes: count, kept: count, tookNs: count }), {
      nil: undefined,
    }),
  }),
  record({ kind: kind('ready'), stage: uint32 }),
  record({ kind: kind('armed'), stage: uint32, epoch: uint32 }),
  record({ kind: kind('missed'), stage: uint32, epoch: uint32, reason: text }),
  record({
    kind: kind('started'),
    stage: uint32,
    epoch: uint32,
    firstOperationNs: uint64,
    atNs: uint64,
  }),
  anInterval.map((interval) => ({ kind: 'interval' as const, ...interval })),
  record({
    kind: kind('stageResult'),
    stage: uint32,
    endedBy: fc.constantFrom('duration', 'operations', 'aborted', 'killed', 'error'),
    atNs: uint64,
    firstOperationNs: uint64,
    lastOperationNs: uint64,
    intervals: uint32,
    abandoned: uint32,
    operations,
    warmup: operations,
    mechanism: text,
    warnings: fc.array(text, { maxLength: 3 }),
    endedNs: uint64,
    syncs: bytes,
  }),
  record({ kind: kind('cleaned'), files: count, warnings: fc.array(text, { maxLength: 3 }) }),
  record({ kind: kind('checked'), report: text }),
  record({ kind: kind('target'), facts: text }),
  record({
    kind: kind('final'),
    state: fc.constantFrom('COMPLETED', 'FAILED', 'ABORTED'),
    reason: text,
  }),
  record({ kind: kind('error'), code: fc.constantFrom('config', 'lease'), message: text }),
  record({
    kind: kind('log'),
    level: fc.constantFrom('debug', 'warn'),
    line: text,
    inResults: fc.boolean(),
  }),
  record({
    kind: kind('checkpoint'),
    payloads: fc.array(bytes, { maxLength: 3 }),
    last: fc.boolean(),
    damaged: uint32,
  }),
);

export const handshakeMessages: fc.Arbitrary<Message> = fc.oneof(
  record({
    kind: kind('open'),
    protocol: uint32,
    nonce: bytes,
    runId: text,
    secret: text,
    identity: text,
    generation: uint32,
    steal: fc.boolean(),
    held: fc.array(record({ stage: uint32, first: uint32, last: uint32 }), { maxLength: 4 }),
    received: uint64,
    fetch: text,
    intervalsPerFrame: uint32,
    takesBeside: fc.boolean(),
  }),
  record({ kind: kind('confirm'), proof: bytes }),
  record({
    kind: kind('welcome'),
    nonce: bytes,
    proof: bytes,
    instanceId: text,
    bootId: text,
    version: text,
    state,
    resumed: fc.boolean(),
    received: uint64,
    host: text,
  }),
  record({
    kind: kind('refused'),
    code: fc.constantFrom('busy', 'protocol', 'secret', 'token', 'stopping'),
    message: text,
    owner: fc.option(owner, { nil: undefined }),
  }),
);

export const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  controllerMessages,
  agentMessages,
  handshakeMessages,
  record({ kind: kind('nak'), from: uint64 }),
);
