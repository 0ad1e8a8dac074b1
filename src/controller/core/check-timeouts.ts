import { formatDuration } from '../../shared/model/units.js';
import type { Plan } from '../../shared/model/plan.js';
import type { Finding } from './finding.js';

export function* checkTimeouts(plan: Plan): Generator<Finding> {
  const t = plan.timeouts;
  const hung = t.pingAfterMs + t.hungAfterMs;
  if (t.leaseMs <= hung) {
    yield {
      level: 'error',
      path: ['timeouts', 'lease'],
      message:
        `${formatDuration(t.leaseMs)} must be longer than ping_after + hung_after (${formatDuration(hung)}), ` +
        'or agents stop their load while the controller still waits for them',
    };
  }
  if (t.leaseMs <= t.reconnectWindowMs) {
    yield {
      level: 'error',
      path: ['timeouts', 'lease'],
      message: `${formatDuration(t.leaseMs)} must be longer than reconnect_window (${formatDuration(t.reconnectWindowMs)})`,
    };
  }
  if (t.prepareIoStallMs < t.prepareSilenceMs) {
    yield {
      level: 'error',
      path: ['timeouts', 'prepare_io_stall'],
      message: `${formatDuration(t.prepareIoStallMs)} must not be shorter than prepare_silence (${formatDuration(t.prepareSilenceMs)})`,
    };
  }
  const totalMs = plan.stages.reduce(
    (sum, stage) => sum + stage.warmupMs + (stage.durationMs ?? 0),
    0,
  );
  if (totalMs > yearMs) {
    yield {
      level: 'error',
      path: ['stages'],
      message: `the stages take ${formatDuration(totalMs)} together; a run lasts less than one year`,
    };
  }
}

const yearMs = 365 * 24 * 3_600_000;
