/**
 * For each flag of the command lines a test that fails when it is read and then ignored: as in option-effects.ts. `prepare`
 * and `cleanup` hand theirs over in the lines that `run` does it in.
 */
import type { TestName } from './option-effects.js';

type Flags = Readonly<Record<string, TestName>>;

const agentToken =
  'cli/security.test.ts: [LINK-07] with a token file on both sides a run completes, and the token is nowhere to be found';
const token =
  'cli/security.test.ts: [LINK-07] another token, none, or one on the wrong side: one sentence on both sides, exit 3, nothing started';
const certificates =
  'cli/security.test.ts: [LINK-08] with certificates on both sides, from flags or the config, a run completes';
const recovered =
  'cli/security.test.ts: [LINK-07] [LINK-08] recover shows the token of its command line and the certificates of the run';
const given =
  'cli/given.test.ts: [SAFE-05] an existing file: refused without the operator’s flag, read with --allow-existing, written only with --allow-devices';
const hostSwitch =
  'cli/drop-cache.test.ts: [SAFE-05] drop_cache uses the kernel’s switch only when the host’s operator lets it, and the results say so';
const colours =
  'cli/terminal.test.ts: [CLI-01] run, report and recover are in colour on a terminal, and not with --no-color or NO_COLOR';
const checked =
  'cli/check.test.ts: [CLI-01] [MEAS-06] check shows clock, place and free space of each agent, and what its generator can do';
const debugLines =
  'faults/frozen-agent.test.ts: [RUN-06] [RUN-28] an agent frozen while armed gets no Go: it does not start later, the others run, exit 4';
const dryRun =
  'cli/help.test.ts: [CLI-01] --dry-run says who makes the files, and what part of the rate an agent has';
const entries =
  'cli/plan-places.test.ts: [CONF-03] each entry of agents is dialled, and has the id, target, threads and labels that it says';
const validated =
  'unit/controller/commands/config-commands.test.ts: `validate` prints the resolved plan as a config that gives the same plan, and what each agent gets';
const rehearsed = 'cli/selftest.test.ts: selftest rehearses faults and prints the verdicts: exit 0';
const compared =
  'cli/compare.test.ts: [CLI-01] compare shows two runs side by side; a regression beyond --limit is exit 1';
const spooled =
  'cli/agent-places.test.ts: [CLI-01] by default what runs report is kept in the system’s runtime folder, and with --no-spool nowhere';

const access: Flags = {
  '--token-file': token,
  '--tls-ca': certificates,
  '--tls-cert': certificates,
  '--tls-key': certificates,
};

const planned: Flags = {
  '--agents': validated,
  '--embedded': checked,
  '--set': validated,
  '--allow-existing': given,
  '--allow-devices': given,
  '--allow-drop-caches': hostSwitch,
};

const ofRuns: Flags = {
  ...planned,
  ...access,
  '--results': colours,
  '--progress':
    'cli/terminal.test.ts: [CLI-01] --progress says how a run is shown: bars by default on a terminal that can draw, lines on another',
  '--steal':
    'faults/refused-agent.test.ts: [CLI-01] --steal takes an agent away from another run, which goes on without it and says who took it, exit 4',
  '--ui': 'cli/progress.test.ts: [LINK-16] --ui without an address is port 7762 of this machine',
  '--no-color': colours,
  '--verbose': debugLines,
};

/** By command; those without a name are those of bench-agent. */
export const flagEffects: Readonly<Record<string, Flags>> = {
  run: {
    ...ofRuns,
    '--dry-run': dryRun,
    '--skip-prepare': dryRun,
    '--no-cleanup': entries,
    '--allow-partial':
      'faults/killed-agent.test.ts: [CLI-02] --allow-partial: exit 0 instead of 4, the results stay labelled partial',
  },
  prepare: ofRuns,
  cleanup: ofRuns,
  // What a plan asks for is not refused without a host: those that consent are taken, and change nothing.
  validate: planned,
  check: {
    ...planned,
    ...access,
    '--verbose':
      'cli/check.test.ts: [SAFE-01] check proves that a shared target is shared, and names the agent that has another one',
  },
  agents: {
    ...access,
    '--json':
      'cli/check.test.ts: [CLI-01] agents shows a fleet as a table, and with --json as an object for each agent',
  },
  report: { '--no-color': colours },
  compare: { '--limit': compared, '--json': compared },
  recover: {
    '--token-file': recovered,
    '--tls-ca': recovered,
    '--tls-cert': recovered,
    '--tls-key': recovered,
    '--no-color': colours,
    '--verbose': recovered,
  },
  selftest: {
    '--only': rehearsed,
    '--jobs': 'cli/selftest.test.ts: Ctrl-C ends selftest and everything that it started: exit 130',
    '--list':
      'cli/selftest.test.ts: selftest --list names the scenarios; an unknown one gets a suggestion',
    '--keep': 'cli/selftest.test.ts: a bug in the programs turns a verdict of selftest red: exit 1',
    '--no-color': rehearsed,
  },
  init: {},
  schema: {
    '--markdown':
      'unit/controller/commands/config-commands.test.ts: [CONF-04] `schema --markdown` prints docs/config.md',
  },
  '': {
    ...access,
    '--token-file': agentToken,
    '--listen':
      'cli/agent-places.test.ts: [CLI-01] without --listen an agent listens on port 7761 of all interfaces',
    '--once':
      'faults/lost-controller.test.ts: [RUN-10] the controller of agents for one run only is killed: they leave by themselves with exit 0',
    '--id':
      'cli/check.test.ts: [CLI-01] agents shows a fleet as a table, and with --json as an object for each agent',
    '--root':
      'cli/bad-target.test.ts: [SAFE-04] --root confines targets: inside is served, outside and by a link is refused',
    '--allow-existing': given,
    '--allow-devices': given,
    '--allow-drop-caches': hostSwitch,
    '--spool':
      'faults/recovery.test.ts: [LINK-06] an agent that is killed behind a dead link and started again gives the run what it had kept: exit 4',
    '--no-spool': spooled,
    '--metrics':
      'cli/agent.test.ts: [CLI-01] --metrics shows what the load does to Prometheus, and nothing else',
    '--verbose': 'cli/agent.test.ts: [RUN-10] an agent that is killed takes its load with it',
    '--log-format': 'cli/agent.test.ts: [CLI-01] --log-format json writes one object per line',
  },
};
