import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { AgentMessage, Interval } from '../../../../src/shared/model/messages.js';
import { LossyPipe, messagesIn } from '../../../support/lossy-pipe.js';
import type { Fate } from '../../../support/lossy-pipe.js';

const interval = (first: number, last = first): Interval => ({
  stage: 0,
  first,
  last,
  operations: [],
  inFlight: 0,
  oldestInFlightNs: 0,
  sampledLateNs: 0,
  runnerCpu: 0,
  hostCpu: 0,
  runnerLoopDelayNs: 0,
});

const heartbeat: AgentMessage = {
  kind: 'heartbeat',
  state: 'RUNNING',
  loopDelayNs: 0,
  agentRssBytes: 0,
  runnerRssBytes: 0,
  operations: 0,
  inFlight: 0,
  oldestInFlightNs: 0,
  runnerSilenceNs: 0,
};

const fates: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 8, arbitrary: fc.constant('arrive' as const) },
  { weight: 1, arbitrary: fc.constantFrom('drop' as const, 'damage' as const, 'repeat' as const) },
  { weight: 1, arbitrary: fc.record({ late: fc.integer({ min: 1, max: 30 }) }) },
);

/** Heartbeats and leases go on once a second, as in a run. */
function passSeconds(pipe: LossyPipe, seconds: number): void {
  for (let second = 0; second < seconds; second += 1) {
    pipe.agent.send(heartbeat);
    pipe.controller.send({ kind: 'lease', count: second });
    pipe.run(1000);
  }
}

test('[RPC-05] over a pipe that loses, damages, repeats and reorders, every reliable message arrives once and in order, and every interval once', () => {
  fc.assert(
    fc.property(
      fc.array(fates, { minLength: 20, maxLength: 60 }),
      fc.array(fc.constantFrom('small', 'large', 'interval', 'cut'), { maxLength: 30 }),
      (script, acts) => {
        const pipe = new LossyPipe();
        pipe.connect();
        let frame = 0;
        pipe.fate = () => script[frame++] ?? 'arrive';
        const reliable: string[] = [];
        let intervals = 0;
        for (const [index, act] of acts.entries()) {
          if (act === 'cut') {
            pipe.cut();
            pipe.connect();
          } else if (act === 'interval') {
            pipe.agent.send({ kind: 'interval', ...interval(intervals++) });
          } else {
            const reason = act === 'small' ? `${index}` : `${index}`.padEnd(50_000, 'x');
            reliable.push(reason);
            pipe.agent.send({ kind: 'state', state: 'RUNNING', reason });
          }
          pipe.run(20);
        }
        passSeconds(pipe, 5);
        const got = messagesIn(pipe.toController);
        assert.deepEqual(
          got.flatMap((message) => (message.kind === 'state' ? [message.reason] : [])),
          reliable,
        );
        const ranges = got.flatMap((message) =>
          message.kind === 'interval' ? [message.first] : [],
        );
        assert.deepEqual(
          ranges.sort((a, b) => a - b),
          Array.from({ length: intervals }, (_, first) => first),
        );
        assert.ok(pipe.agent.settled, 'everything is acknowledged');
      },
    ),
    { numRuns: 300 },
  );
});
