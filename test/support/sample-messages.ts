import type { AgentMessage, Interval, OperationStats } from '../../src/shared/model/messages.js';

export const aHeartbeat: Extract<AgentMessage, { kind: 'heartbeat' }> = {
  kind: 'heartbeat',
  state: 'RUNNING',
  loopDelayNs: 0,
  agentRssBytes: 0,
  runnerRssBytes: 0,
  operations: 0,
  inFlight: 0,
  oldestInFlightNs: 0,
  runnerSilenceNs: 0,
  starvedThreads: 0,
};

/** One second of load of stage 0; everything not given is nothing. */
export function anIntervalOf(fields: Partial<Interval> & { readonly first: number }): Interval {
  return {
    stage: 0,
    last: fields.first,
    operations: [],
    inFlight: 0,
    oldestInFlightNs: 0,
    sampledLateNs: 0,
    runnerCpu: 0,
    hostCpu: 0,
    runnerLoopDelayNs: 0,
    busiestThreadCpu: 0,
    lateWakeUps: 0,
    runnerGcNs: 0,
    controlLoopDelayNs: 0,
    controlGcNs: 0,
    ...fields,
  };
}

export function statsOf(fields: Partial<OperationStats> = {}): OperationStats {
  return {
    operation: 'read',
    count: 0,
    bytes: 0,
    errors: [],
    missedSchedules: 0,
    unissuedSchedules: 0,
    service: new Uint8Array(),
    response: new Uint8Array(),
    failed: new Uint8Array(),
    ...fields,
  };
}

/** Bytes that no compression makes smaller, the same for the same seed. */
export function noise(bytes: number, seed = 1): Uint8Array {
  const made = new Uint8Array(bytes);
  let state = seed >>> 0 || 1;
  for (let index = 0; index < bytes; index += 1) {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    made[index] = state & 0xff;
  }
  return made;
}

/** As text, for fields that are text. */
export function noiseText(characters: number, seed = 1): string {
  return Buffer.from(noise(Math.ceil((characters * 3) / 4), seed))
    .toString('base64')
    .slice(0, characters);
}
