/** The faults of `selftest`. The middle one of three agents is the one that suffers. */
import {
  always,
  completed,
  exits,
  freeWithin,
  keepsNumbersOf,
  knowsClocks,
  labelled,
  neverSays,
  nobodyAccused,
  prints,
  reconnected,
  says,
  startsWithin,
  stoppedByAbort,
  sumsAgree,
  wholeTimeLines,
} from '../../core/rehearsal/checks.js';
import type { Scenario } from './scenario.js';

const everybody = ['agent-1', 'agent-2', 'agent-3'];
const survivors = ['agent-1', 'agent-3'];
const shiftsMs = [-3500, 0, 3500];

/** The agents' own switch: reconnect_window + 5 s, and what a loaded machine may add. */
const deadMansSwitchMs = 30_000;

const allComplete = [exits(0), completed(3), wholeTimeLines(everybody)];
const onlyTwoComplete = [
  exits(4),
  labelled('partial'),
  completed(2),
  wholeTimeLines(survivors),
  keepsNumbersOf('agent-2'),
];

async function nothing(): Promise<void> {
  // The fault is there from the start, or there is none.
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'undisturbed',
    fault: 'nothing happens',
    act: nothing,
    checks: [...allComplete, nobodyAccused, ...always()],
  },
  {
    name: 'kill',
    fault: 'an agent is killed (SIGKILL) while running',
    act: async ({ run, agents }) => {
      await run.loaded();
      agents.agent(2).process.kill('SIGKILL');
    },
    checks: [
      ...onlyTwoComplete,
      says(/Agent agent-2 disconnected after \d+s/, 'agent-2 is named'),
      ...always(),
    ],
  },
  {
    name: 'majority',
    fault: 'two of three agents are killed while running',
    seconds: 30,
    act: async ({ run, agents }) => {
      await run.loaded();
      agents.agent(1).process.kill('SIGKILL');
      agents.agent(2).process.kill('SIGKILL');
    },
    checks: [
      exits(5),
      labelled('aborted'),
      keepsNumbersOf('agent-3'),
      says(/results are not representative/, 'said to be not representative'),
      ...always(),
    ],
  },
  {
    name: 'freeze',
    fault: 'an agent is frozen (SIGSTOP) to the end of the run',
    seconds: 8,
    act: async ({ run, agents }) => {
      await run.loaded();
      agents.agent(2).process.kill('SIGSTOP');
    },
    checks: [
      ...onlyTwoComplete,
      says(/Agent agent-2 .*marking as hung/, 'agent-2 is marked as hung'),
      ...always(deadMansSwitchMs),
    ],
    // The end comes at most `collect` late: this is far below what waiting for the agent would take.
    deadlineMs: 45_000,
  },
  {
    name: 'thaw',
    fault: 'an agent is frozen for two seconds, then thawed',
    seconds: 6,
    timeouts: { ping_after: '10s', lease: '13s' },
    act: async ({ run, agents }) => {
      await run.loaded();
      const { process } = agents.agent(2);
      process.kill('SIGSTOP');
      await run.until('two seconds of silence', (progress) =>
        progress.agents.some(({ id, silent_ms }) => id === 'agent-2' && silent_ms > 2000),
      );
      process.kill('SIGCONT');
    },
    checks: [...allComplete, neverSays(/hung|crashed/, 'nobody is given up'), ...always()],
  },
  {
    name: 'cut',
    fault: 'the connection of an agent is reset, and comes back',
    seconds: 6,
    act: async ({ run, agents }) => {
      await run.loaded();
      agents.agent(2).link.reset();
    },
    checks: [...allComplete, reconnected('agent-2'), ...always()],
  },
  {
    name: 'partition',
    fault: 'the network of an agent is gone for good at half of the stage',
    seconds: 8,
    act: async ({ run, agents }) => {
      await run.elapsed(4000);
      const { link } = agents.agent(2);
      link.refuse(true);
      link.reset();
    },
    checks: [
      ...onlyTwoComplete,
      says(/Agent agent-2 did not come back/, 'agent-2 is given up after the window'),
      ...always(deadMansSwitchMs),
    ],
  },
  {
    name: 'stall',
    fault: 'no byte gets through to or from an agent for three seconds',
    seconds: 7,
    timeouts: { ping_after: '10s', lease: '13s' },
    act: async ({ run, agents }) => {
      await run.loaded();
      const { link } = agents.agent(2);
      link.shapeBoth({ stalled: true });
      await run.until('three seconds of silence', (progress) =>
        progress.agents.some(({ id, silent_ms }) => id === 'agent-2' && silent_ms > 3000),
      );
      link.heal();
    },
    checks: [...allComplete, neverSays(/hung|crashed/, 'nobody is given up'), ...always()],
  },
  {
    name: 'blackhole',
    fault: 'what an agent sends vanishes one way, on a connection that stays open',
    seconds: 16,
    timeouts: { ping_after: '60s', hung_after: '60s', lease: '125s', reconnect_window: '15s' },
    act: async ({ run, agents }) => {
      await run.loaded();
      const { link } = agents.agent(2);
      link.blackhole('down');
      await run.until('five seconds of silence', (progress) =>
        progress.agents.some(({ id, silent_ms }) => id === 'agent-2' && silent_ms > 5000),
      );
      // New connections are sound, the old one has lost what it lost.
      link.healNew();
    },
    checks: [...allComplete, reconnected('agent-2'), ...always()],
  },
  {
    name: 'bit-flips',
    fault: 'every 400th byte to and from an agent arrives with a flipped bit, five times',
    seconds: 7,
    timeouts: { reconnect_window: '15s', lease: '30s' },
    act: async ({ run, agents }) => {
      await run.loaded();
      const { link } = agents.agent(2);
      link.shapeBoth({ flipEvery: 400 });
      await run.until('five flipped bits', () => link.flippedBits >= 5);
      link.heal();
    },
    checks: [...allComplete, ...always()],
  },
  {
    name: 'slow-link',
    fault: 'messages of an agent take 600 ms each way',
    arrange: (agents) => {
      agents.agent(2).link.shapeBoth({ delayMs: 600 });
    },
    timeouts: {
      ping_after: '20s',
      hung_after: '20s',
      lease: '45s',
      reconnect_window: '15s',
      collect: '10s',
    },
    act: nothing,
    checks: [
      ...allComplete,
      says(/WARNING: Agent agent-2 message latency: [\d.]+s/, 'a warning about the latency'),
      neverSays(/disconnected|crashed|hung|unreachable/, 'no false alarm'),
      ...always(),
    ],
  },
  {
    name: 'skew',
    fault: 'the clocks of two agents are 3.5 s off, one early, one late',
    clockShiftsMs: shiftsMs,
    act: nothing,
    checks: [...allComplete, knowsClocks(shiftsMs), startsWithin(1500), ...always()],
  },
  {
    name: 'disk-full',
    fault: 'the disk of the results gets full during the run',
    onSmallDisk: true,
    act: async ({ run, disk }) => {
      await run.loaded();
      await disk?.fill();
    },
    checks: [
      exits(6),
      says(/^ERROR: Cannot write results to disk \(disk full\)$/m, 'said at once'),
      prints(/"outcome":"completed"/, 'the summary is printed'),
      freeWithin(15_000),
    ],
  },
  {
    name: 'ctrl-c',
    fault: 'Ctrl-C at 30 % of the stage',
    seconds: 10,
    act: async ({ run }) => {
      await run.elapsed(3000);
      run.process.kill('SIGINT');
    },
    checks: [
      exits(130),
      labelled('interrupted'),
      says(/Received Ctrl-C - aborting all agents/, 'said at once'),
      stoppedByAbort,
      ...everybody.map(keepsNumbersOf),
      ...always(),
    ],
  },
  {
    name: 'lost-controller',
    fault: 'the controller is killed (SIGKILL) while running; `report` makes the results',
    seconds: 60,
    act: async ({ run }) => {
      // What is on the screen is in the journal a second later.
      await run.elapsed(4000);
      run.process.kill('SIGKILL');
    },
    afterwards: ({ run }) => run.report(),
    checks: [
      labelled('interrupted'),
      ...everybody.map(keepsNumbersOf),
      sumsAgree,
      freeWithin(deadMansSwitchMs),
    ],
  },
];
