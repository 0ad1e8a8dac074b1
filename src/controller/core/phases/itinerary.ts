/** The parts of a run in their order; no phase knows another one. */
import { Cleaning } from './cleaning.js';
import { Connecting } from './connecting.js';
import type { Destination, Phase, RunContext } from './phase.js';
import { Preparing } from './preparing.js';
import { Running } from './running.js';
import { Starting } from './starting.js';
import { Synchronising } from './synchronising.js';

export function firstPhase(run: RunContext): Phase {
  return new Connecting(run);
}

/** Undefined: all that was asked for is done. */
export function phaseAt(run: RunContext, destination: Destination): Phase | undefined {
  const { mode, cleanup, plan } = run.options;
  switch (destination.kind) {
    case 'connected':
      return new Synchronising(run);
    case 'synchronised':
      return mode === 'cleanup' ? new Cleaning(run) : new Preparing(run);
    case 'prepared':
      return mode === 'run' ? new Starting(run, 0) : undefined;
    case 'released':
      return new Running(run, destination.stage, destination.barrier);
    case 'missed':
      return new Starting(run, destination.stage, destination.barrier);
    case 'stageDone': {
      const next = destination.stage + 1;
      if (next < plan.stages.length) return new Starting(run, next);
      return cleanup ? new Cleaning(run) : undefined;
    }
    case 'cleaned':
      return undefined;
  }
}
