/**
 * Preloaded into the two programs (NODE_OPTIONS=--import=…) with MUSTER_TEST_PLANTED=<name>: a bug of the kind that the
 * scenario of that name is there to find. Only compiled tests have it; the programs know nothing of it.
 */
import path from 'node:path';
import { AgentSession } from '../../../src/agent/core/session.js';
import { OwnerWatch } from '../../../src/agent/core/lease.js';
import { SpoolWriter } from '../../../src/agent/shell/spool/spool-writer.js';
import { Aggregate } from '../../../src/controller/core/aggregate.js';
import { ClockProbes } from '../../../src/controller/core/clock-probes.js';
import { Contact } from '../../../src/controller/core/contact.js';
import { Judge } from '../../../src/controller/core/judge.js';
import { LatencyWatch } from '../../../src/controller/core/latency-watch.js';
import { LinkKeeper } from '../../../src/controller/core/link-keeper.js';
import type { JournalRecord } from '../../../src/controller/core/records.js';
import type { RunEnd } from '../../../src/controller/core/run-io.js';
import { RunResults } from '../../../src/controller/shell/run-results.js';
import type { Interval } from '../../../src/shared/model/messages.js';
import { IntervalRing } from '../../../src/shared/wire/interval-ring.js';
import { LaneOrder } from '../../../src/shared/wire/lanes.js';

type Program = 'bench-agent.js' | 'bench-controller.js';

interface Planted {
  readonly in: Program;
  readonly plant: () => void;
}

/** Every way to end says that all went well. */
function sayAllIsWell(): void {
  const fine = { outcome: 'completed', exitCode: 0, reason: undefined, notRepresentative: false };
  Judge.prototype.end = () => fine as RunEnd;
}

/** An interval that is thrown away on the agent, when `isUnlucky` says so. */
function loseIntervals(isUnlucky: (interval: Interval) => boolean): void {
  const { add } = IntervalRing.prototype;
  IntervalRing.prototype.add = function (interval) {
    if (!isUnlucky(interval)) add.call(this, interval);
  };
}

function neverGone(): void {
  OwnerWatch.prototype.ownerGone = () => false;
  OwnerWatch.prototype.runnerDeadlineNs = (_, nowNs) => nowNs + 3_600_000_000_000n;
}

export const plantedFaults: Readonly<Record<string, Planted>> = {
  undisturbed: {
    in: 'bench-agent.js',
    plant: () => {
      loseIntervals(({ first }) => first === 1);
    },
  },
  kill: { in: 'bench-controller.js', plant: sayAllIsWell },
  majority: {
    in: 'bench-controller.js',
    plant: () => {
      Judge.prototype.rule = () => undefined;
    },
  },
  freeze: {
    in: 'bench-controller.js',
    plant: () => {
      const { accept } = Aggregate.prototype;
      Aggregate.prototype.accept = function (record: JournalRecord) {
        if (record.type !== 'interval' || record.agent !== 1) accept.call(this, record);
      };
    },
  },
  thaw: {
    in: 'bench-agent.js',
    plant: () => {
      let beforeNs = 0n;
      loseIntervals(() => {
        const nowNs = process.hrtime.bigint();
        const comesInABurst = nowNs - beforeNs < 100_000_000n;
        beforeNs = nowNs;
        return comesInABurst;
      });
    },
  },
  cut: {
    in: 'bench-controller.js',
    plant: () => {
      LinkKeeper.prototype.tick = () => undefined;
    },
  },
  partition: { in: 'bench-agent.js', plant: neverGone },
  stall: {
    in: 'bench-agent.js',
    plant: () => {
      const { use } = OwnerWatch.prototype;
      OwnerWatch.prototype.use = function (times) {
        use.call(this, { ...times, leaseMs: 2000 });
      };
    },
  },
  blackhole: {
    in: 'bench-controller.js',
    plant: () => {
      Object.defineProperty(Contact.prototype, 'helloDueMs', { get: () => Infinity });
    },
  },
  'bit-flips': {
    in: 'bench-agent.js',
    plant: () => {
      IntervalRing.prototype.lost = () => undefined;
    },
  },
  'slow-link': {
    in: 'bench-controller.js',
    plant: () => {
      LatencyWatch.prototype.measured = () => false;
    },
  },
  skew: {
    in: 'bench-controller.js',
    plant: () => {
      const { reply } = ClockProbes.prototype;
      ClockProbes.prototype.reply = function (message, receivedNs, now) {
        const agentIsRight = { ...message, t2Ns: message.t1Ns, t3Ns: receivedNs };
        return reply.call(this, agentIsRight, receivedNs, now);
      };
    },
  },
  'disk-full': {
    in: 'bench-controller.js',
    plant: () => {
      const { finish } = RunResults.prototype;
      RunResults.prototype.finish = async function () {
        return { ...(await finish.call(this)), failure: undefined, exitCode: 0 };
      };
    },
  },
  'ctrl-c': {
    in: 'bench-agent.js',
    plant: () => {
      const { handle } = AgentSession.prototype;
      AgentSession.prototype.handle = function (input, now) {
        const isAbort = input.kind === 'message' && input.message.kind === 'abort';
        return isAbort ? [] : handle.call(this, input, now);
      };
    },
  },
  'lost-controller': { in: 'bench-agent.js', plant: neverGone },
  // Of the stress scenarios.
  'thundering-herd': {
    in: 'bench-controller.js',
    plant: () => {
      Math.random = () => 0.999;
    },
  },
  'checkpoint-heavy': {
    in: 'bench-agent.js',
    plant: () => {
      let records = 0;
      const { add } = SpoolWriter.prototype;
      SpoolWriter.prototype.add = function (content, lasting) {
        records += 1;
        if (records < 5) add.call(this, content, lasting);
      };
    },
  },
  'mixed-priorities': {
    in: 'bench-agent.js',
    plant: () => {
      const { choose } = LaneOrder.prototype;
      LaneOrder.prototype.choose = function (ready) {
        return ready.has('background') ? 'background' : choose.call(this, ready);
      };
    },
  },
};

const planted = plantedFaults[process.env['MUSTER_TEST_PLANTED'] ?? ''];
if (planted && path.basename(process.argv[1] ?? '') === planted.in) planted.plant();
