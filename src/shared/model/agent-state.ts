/** States of an agent, the same names on the wire (enum AgentState of agent.proto). */
export const agentStates = [
  'IDLE',
  'PREPARING',
  'READY',
  'ARMED',
  'RUNNING',
  'DRAINING',
  'CLEANING',
  'COMPLETED',
  'FAILED',
  'ABORTED',
] as const;

export type AgentState = (typeof agentStates)[number];

/** States in which a run is over for the agent. */
export type EndState = Extract<AgentState, 'COMPLETED' | 'FAILED' | 'ABORTED'>;
