/**
 * A workload process without a workload, for tests of what the agent does around it. What it is to do is in the
 * assignment's target, words separated by commas:
 *   mute       says nothing at all                 exit       exits with code 7 on prepare
 *   ready      becomes ready, armed and running    deaf       does not react to abort
 *   print      writes a line to standard error     last       sends a report and exits in the same breath
 *   litter     leaves a folder in that for temporary files, and says where
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RunnerCommand, RunnerEvent } from '../../src/agent/runner/protocol.js';

let words: readonly string[] = [];

function say(event: RunnerEvent, then: () => void = () => undefined): void {
  process.send?.(event, then);
}

function report(operations: number): RunnerEvent {
  return { kind: 'report', rssBytes: 1, operations, inFlight: 2, oldestInFlightNs: 3 };
}

function litter(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'muster-litter-'));
  mkdirSync(path.join(folder, 'in'));
  writeFileSync(path.join(folder, 'in/it'), 'x');
  return folder;
}

process.on('disconnect', () => process.exit(0));

process.on('message', (message) => {
  const command = message as RunnerCommand;
  switch (command.kind) {
    case 'prepare':
      words = command.assignment.target.split(',');
      if (words.includes('mute')) return;
      say(report(0));
      if (words.includes('litter')) say({ kind: 'log', level: 'info', line: litter() });
      if (words.includes('print')) process.stderr.write('something went wrong\n');
      if (words.includes('exit')) process.exit(7);
      if (words.includes('last')) say(report(1_000_000), () => process.exit(3));
      if (words.includes('ready')) say({ kind: 'ready', stage: 0 });
      return;
    case 'arm':
      say({ kind: 'armed', stage: command.stage, epoch: command.epoch });
      return;
    case 'go':
      say({ ...command, kind: 'started', firstOperationNs: 12n, atNs: 2n ** 62n });
      return;
    case 'abort':
      if (words.includes('deaf')) return;
      say({ kind: 'aborted', reason: command.reason });
      return;
    case 'cleanup':
      say({ kind: 'cleaned', files: 1, warnings: [] });
      return;
    case 'lease':
    case 'share':
      return;
    case 'quit':
      process.exit(0);
  }
});
