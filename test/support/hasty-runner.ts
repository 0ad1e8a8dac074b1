/**
 * A workload process whose second lasts a few milliseconds: with every operation there is, each with as many latencies as
 * a busy one has, it reports a stage of `MUSTER_TEST_SECONDS` seconds. For tests of what the two programs do with much.
 */
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import { Histogram, mergeEncoded } from '../../src/shared/metrics/histogram.js';
import { operationKinds } from '../../src/shared/model/operation.js';
import type { OperationKind } from '../../src/shared/model/operation.js';
import type { OperationStats } from '../../src/shared/model/messages.js';
import type { RunnerCommand, RunnerEvent } from '../../src/agent/runner/protocol.js';
import { intervalOf, resultOf } from './agent-driver.js';
import { operationsPerSecond as perSecond } from './hasty-load.js';
import { SeededRandom } from './sim/random.js';

const secondMs = 8;
const seconds = Number(process.env['MUSTER_TEST_SECONDS']);
const random = new SeededRandom(1);
/** Seconds differ, in turn. */
const variants = Array.from({ length: 16 }, () => {
  const histogram = new Histogram();
  for (let k = 0; k < perSecond; k++) histogram.record(20_000 * Math.exp(8 * random.next()));
  return histogram.encode();
});

let atNs = 0n;
let done = 0;
const totals = new Map<OperationKind, Uint8Array>();

function say(event: RunnerEvent): void {
  process.send?.(event);
}

function statsOf(operation: OperationKind, service: Uint8Array): OperationStats {
  const count = done * perSecond;
  const counters = { count, bytes: count * 4096, errors: [], missedSchedules: 0 };
  const none = new Uint8Array();
  return {
    ...{ operation, ...counters, unissuedSchedules: 0 },
    ...{ service, response: none, failed: none },
  };
}

function second(stage: number): void {
  const first = done;
  done += 1;
  const operations = operationKinds.map((operation, index) => {
    const service = variants[(first + index) % variants.length] ?? new Uint8Array();
    totals.set(operation, mergeEncoded(totals.get(operation) ?? new Uint8Array(), service));
    return statsOf(operation, service);
  });
  say({ kind: 'interval', ...intervalOf({ stage, first, last: first, operations }) });
  if (done < seconds) {
    systemClock.after(secondMs, () => {
      second(stage);
    });
    return;
  }
  say({ kind: 'draining', stage });
  const lastOperationNs = atNs + BigInt(seconds) * 1_000_000_000n;
  const all = operationKinds.map((operation) =>
    statsOf(operation, totals.get(operation) ?? new Uint8Array()),
  );
  say({
    kind: 'stageResult',
    ...resultOf({ stage, endedBy: 'operations', atNs, intervals: seconds, operations: all }),
    ...{ firstOperationNs: atNs, lastOperationNs },
  });
}

function report(): void {
  const operations = done * perSecond * operationKinds.length;
  say({ kind: 'report', rssBytes: 1, operations, inFlight: 0, oldestInFlightNs: 0 });
  systemClock.after(1000, report);
}

process.on('disconnect', () => process.exit(0));

process.on('message', (message) => {
  const command = message as RunnerCommand;
  switch (command.kind) {
    case 'prepare':
      report();
      say({ kind: 'marked' });
      say({ kind: 'ready', stage: 0 });
      return;
    case 'arm':
      atNs = command.atNs;
      say({ kind: 'armed', stage: command.stage, epoch: command.epoch });
      return;
    case 'go': {
      const { stage } = command;
      systemClock.after(Number(atNs - systemClock.nowNs()) / 1e6, () => {
        say({ ...command, kind: 'started', firstOperationNs: atNs, atNs });
        second(stage);
      });
      return;
    }
    case 'abort':
      say({ kind: 'aborted', reason: command.reason });
      return;
    case 'cleanup':
      say({ kind: 'cleaned', files: 0, warnings: [] });
      return;
    case 'lease':
    case 'share':
      return;
    case 'quit':
      process.exit(0);
  }
});
