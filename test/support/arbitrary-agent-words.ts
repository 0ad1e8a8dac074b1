/** What agents may say to the run machine, out of turn as well: every kind, with numbers that mean something to it. */
import fc from 'fast-check';
import { agentStates } from '../../src/shared/model/agent-state.js';
import type { AgentErrorCode, AgentMessage } from '../../src/shared/model/messages.js';
import { intervalOf, resultOf } from './agent-driver.js';

/** Two of them are in the plan; the last is the greatest that fits the wire. */
const stage = fc.constantFrom(0, 0, 0, 1, 1, 2, 2 ** 32 - 1);
const epoch = fc.constantFrom(0, 1, 1, 2, 3, 2 ** 32 - 1);
const id = fc.integer({ min: 0, max: 60 });
const ns = fc.oneof(
  fc.constantFrom(0n, 1n, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 20_000_000_000n }),
);
const second = fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constantFrom(2 ** 31, 2 ** 32 - 1));
const count = fc.oneof(fc.nat(1000), fc.constantFrom(Number.MAX_SAFE_INTEGER));
const codes: readonly AgentErrorCode[] = ['target', 'crashed', 'lease', 'stopped', 'internal'];
const reason = fc.constantFrom('', 'why not');

const words: { readonly [K in AgentMessage['kind']]?: fc.Arbitrary<object> } = {
  ping: fc.record({ id }),
  pong: fc.record({ id }),
  goodbye: fc.record({ reason }),
  heartbeat: fc.record({
    state: fc.constantFrom(...agentStates),
    loopDelayNs: count,
    agentRssBytes: count,
    runnerRssBytes: count,
    operations: count,
    inFlight: fc.nat(64),
    oldestInFlightNs: count,
    runnerSilenceNs: count,
    starvedThreads: fc.nat(64),
  }),
  probeReply: fc.record({ id, t1Ns: ns, t2Ns: ns, t3Ns: ns, unixMs: count }),
  state: fc.record({ state: fc.constantFrom(...agentStates), reason }),
  progress: fc.record({
    phase: fc.constantFrom('prepare', 'cleanup', 'stage', 'wait'),
    filesDone: count,
    filesTotal: count,
    bytesDone: count,
    bytesTotal: count,
  }),
  marked: fc.record({
    prepared: fc.option(fc.record({ files: count, bytes: count, kept: count, tookNs: count }), {
      nil: undefined,
    }),
  }),
  ready: fc.record({ stage }),
  armed: fc.record({ stage, epoch }),
  missed: fc.record({ stage, epoch, reason }),
  started: fc.record({ stage, epoch, firstOperationNs: ns, atNs: ns }),
  interval: fc
    .record({ stage, first: second, last: second })
    .map(({ stage, first, last }) => intervalOf({ stage, first, last })),
  stageResult: fc
    .record({
      stage,
      intervals: second,
      endedBy: fc.constantFrom('duration', 'aborted', 'error', 'killed'),
    })
    .map((change) => resultOf(change)),
  cleaned: fc.record({ files: count, warnings: fc.constantFrom([], ['left one']) }),
  checked: fc.constant({ report: 'not JSON' }),
  final: fc.record({ state: fc.constantFrom('COMPLETED', 'FAILED', 'ABORTED'), reason }),
  error: fc.record({ code: fc.constantFrom(...codes), message: reason }),
  log: fc.record({ level: fc.constantFrom('info', 'warn'), line: reason }),
};

export const anyAgentMessage: fc.Arbitrary<AgentMessage> = fc.oneof(
  ...Object.entries(words).map(([kind, fields]) =>
    fields.map((rest) => ({ kind, ...rest }) as AgentMessage),
  ),
);
