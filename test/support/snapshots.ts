import type { AgentLoad, AgentStatus, RunSnapshot } from '../../src/controller/core/snapshot.js';

export function agentStatus(index: number, change: Partial<AgentStatus> = {}): AgentStatus {
  return {
    index,
    id: `agent-${String(index + 1)}`,
    state: 'RUNNING',
    link: 'CONNECTED',
    note: undefined,
    silentMs: 200,
    runnerSilentMs: 300,
    latencyMs: 0.2,
    roundTripMs: 0.25,
    inFlight: 4,
    oldestInFlightMs: 2,
    progress: undefined,
    ...change,
  };
}

export function agentLoad(index: number, change: Partial<AgentLoad> = {}): AgentLoad {
  return {
    index,
    latest: { operationsPerSecond: 1000 + index, bytesPerSecond: 4_096_000, p99Ns: 1_234_000 },
    errors: 0,
    operations: 5000,
    bytes: 20_480_000,
    reportedSeconds: 5,
    ...change,
  };
}

/** A run in the middle of its only stage, all agents well. */
export function snapshotOf(
  agents: readonly AgentStatus[],
  change: Partial<RunSnapshot['status']> = {},
  elapsedMs = 27_000,
): RunSnapshot {
  const loads = agents.map(({ index }) => agentLoad(index));
  return {
    elapsedMs,
    lateMs: 1,
    status: {
      name: 'nightly',
      runId: 'run-1',
      phase: 'running',
      stageCount: 2,
      stage: { index: 0, name: 'mixed', elapsedMs: 15_000, warmupMs: 0, durationMs: 60_000 },
      agents,
      ...change,
    },
    live: {
      stage: 0,
      second: 14,
      operationsPerSecond: loads.reduce(
        (sum, load) => sum + (load.latest?.operationsPerSecond ?? 0),
        0,
      ),
      bytesPerSecond: 4_096_000 * agents.length,
      p99Ns: 1_234_000,
      errors: 0,
      operations: 5000 * agents.length,
      bytes: 20_480_000 * agents.length,
      agents: loads,
    },
  };
}
