/** A worker thread: carries out one job at a time. What it throws that was not foreseen is a bug and ends the runner. */
import os from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { RunnerFailure } from './failure.js';
import { runFilesJob } from './files-job.js';
import type { Job, WorkerEvent } from './jobs.js';
import { runAlarmJob } from './pacing/alarm-clock.js';
import { runStageJob } from './stage-job.js';

const port = parentPort;
if (port === null) throw new Error('to be started as a worker thread');

// Of this thread alone: the one that started it has a better one.
os.setPriority((workerData as { priority: number }).priority);

function say(event: WorkerEvent): void {
  port?.postMessage(event);
}

async function carryOut(job: Job): Promise<void> {
  try {
    if (job.kind === 'stage') await runStageJob(job, say);
    else if (job.kind === 'alarms') runAlarmJob(job, say);
    else runFilesJob(job, say);
  } catch (error) {
    if (!(error instanceof RunnerFailure)) throw error;
    say({ kind: 'failed', code: error.code, message: error.message });
  }
}

port.on('message', (job: Job) => {
  void carryOut(job);
});
