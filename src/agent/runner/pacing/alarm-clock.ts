import type { AlarmJob, WorkerEvent } from '../jobs.js';
import { ClockBase } from '../clock-base.js';
import { RunControl, alarmFlag } from '../shared-memory.js';
import { AlarmBoard } from './alarm-board.js';

/**
 * A thread that does nothing but wake others in time. A lane with operations in flight has to listen to its event loop,
 * whose own timers know milliseconds only; here the wait is as exact as the kernel's, and reaches the loop as a message.
 */
export function runAlarmJob(job: AlarmJob, say: (event: WorkerEvent) => void): void {
  const control = new RunControl(job.control);
  const board = new AlarmBoard(job.lanes, job.board);
  const clock = new ClockBase(job.baseSeconds);
  const { flags } = control;
  const { instants } = board;
  /** What each lane was last rung for. */
  const rung = new Float64Array(job.lanes);
  say({ kind: 'alarmsReady' });
  for (;;) {
    const seen = Atomics.load(flags, alarmFlag);
    if (board.isOver || control.isStopped) break;
    const nowNs = clock.now();
    let nextNs = Infinity;
    for (let lane = 0; lane < job.lanes; lane++) {
      const atNs = instants[lane] ?? 0;
      if (atNs === rung[lane]) continue;
      if (atNs > nowNs + job.leadNs) {
        nextNs = Math.min(nextNs, atNs - job.leadNs);
        continue;
      }
      rung[lane] = atNs;
      board.ring(lane);
    }
    Atomics.wait(flags, alarmFlag, seen, (nextNs - nowNs) / 1e6);
  }
  // Whoever still waits is to see that it was stopped.
  for (let lane = 0; lane < job.lanes; lane++) board.ring(lane);
  say({ kind: 'alarmsDone' });
}
