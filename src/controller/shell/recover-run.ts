import { open } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Clock } from '../../shared/kernel/clock.js';
import { MusterError } from '../../shared/kernel/errors.js';
import type { Log, LogLevel } from '../../shared/kernel/log.js';
import { exitCodes } from '../../shared/model/outcome.js';
import type { AgentPlan, Plan } from '../../shared/model/plan.js';
import type { Access } from '../../shared/wire/access.js';
import type { RunRecord } from '../core/records.js';
import { makesDataset } from '../core/makes-dataset.js';
import { oneSentence } from '../core/one-sentence.js';
import { Recovery, type Recovered } from '../core/recovery.js';
import { greetAgent } from '../../shared/wire/dial-agent.js';
import { DialError } from '../../shared/wire/dial-error.js';
import { CheckpointIntake } from './checkpoint-intake.js';
import { fetchCheckpoint } from './fetch-checkpoint.js';
import { controllerIdentity } from './identity.js';
import { encodeRecord } from './journal-codec.js';
import { LineFile } from './line-file.js';
import { noRun, readRunJournal } from './rebuild.js';
import { forgetSecret, takeSecret } from './run-secret.js';
import { demandNotDriven, demandUnheard, dialOf } from './still-driven.js';
import { writeFailureReason } from './write-failure.js';

const atOnce = 64;
const reason = 'aborted by bench-controller recover: its controller is gone';
const keptYet =
  'Agents whose checkpoints were not fetched keep them, for an hour: repeat recover when that is mended.';
const cutShort =
  'what it kept ends before its last words (it was killed, or could not write its spool): what it did after that is lost';
const unreachedWhy = 'the run had not reached it';

export interface RecoverRequest {
  /** Of the run's results. */
  readonly folder: string;
  readonly clock: Clock;
  /** Token and certificates; `plan`'s own unless the command line says otherwise. */
  readonly accessFor: (plan: Plan) => Promise<Access>;
  /** A line for the user. */
  readonly say: Log;
}

/**
 * Ends a run whose controller is gone, on every agent of it, and completes its journal with what the agents kept; the
 * other files are then `rebuild`'s. It may be done again. Throws MusterError: 2 when the folder holds no run, or one
 * that goes on; 6 when the journal cannot be written.
 */
export async function recoverRun({ folder, clock, accessFor, say }: RecoverRequest): Promise<void> {
  const path = join(folder, 'journal.ndjson');
  const recovery = new Recovery();
  const intake = new CheckpointIntake({
    record: (entry) => {
      record(entry);
    },
    notice: (level, line) => {
      notice(level, line);
    },
    nameOf: (agent) => recovery.plan?.agents[agent]?.id ?? String(agent),
  });
  await readRunJournal(path, (entry) => {
    recovery.learn(entry);
    intake.learn(entry);
  });
  const { plan, runId } = recovery;
  if (!plan) throw noRun(path);
  const kept = await demandNotDriven(folder, runId, clock);
  const secret = kept?.secret;
  if (secret === undefined && recovery.hasEnd) {
    say('info', 'The run has come to its end: there is nothing to fetch from its agents');
    return;
  }
  const access = await accessFor(plan);
  if (kept?.elsewhere !== undefined) {
    const dials = plan.agents
      .filter(({ isEmbedded }) => !isEmbedded)
      .map((agent) => ({ id: agent.id, dial: { ...dialOf(agent, plan), clock, access } }));
    await demandUnheard(folder, runId, dials);
  }
  const journal = await resumeJournal(path, clock);
  // What cannot be kept here must stay with the agents.
  const broken = new AbortController();
  journal.onFailure = () => {
    broken.abort();
  };
  // A second recover at the same time is told that this one goes on.
  if (secret !== undefined) {
    try {
      await takeSecret(folder, runId, secret);
    } catch (thrown) {
      throw notWritten(folder, thrown);
    }
  }
  const began = clock.nowMs() - recovery.lastMs;
  const record = (entry: RunRecord): void => {
    intake.learn(entry);
    recovery.learn(entry);
    journal.append(encodeRecord({ ...entry, atMs: Math.round(clock.nowMs() - began) }));
  };
  const notice = (level: LogLevel, line: string): void => {
    record({ type: 'notice', level, line });
    say(level, line);
  };
  if (secret === undefined) notice('warn', 'run.secret is not there: no agent can be asked');

  const reached = new Set(recovery.facts.keys());
  /** The journal may end before its record of an agent that has the run, or has kept something of it: who it is then. */
  const unrecorded = async (agent: AgentPlan): Promise<string | undefined> => {
    try {
      const dial = { ...dialOf(agent, plan), clock, access };
      const { instanceId, owner, checkpoints } = await greetAgent(dial, broken.signal);
      if (owner?.runId === runId) return instanceId;
      return checkpoints.find((kept) => kept.runId === runId)?.instanceId;
    } catch (thrown) {
      if (!(thrown instanceof DialError)) throw thrown;
      return undefined;
    }
  };
  const askOne = async (agent: AgentPlan): Promise<Recovered> => {
    const { index } = agent;
    if (recovery.has(index)) return { agent: index, isComplete: true, reason: 'it is here' };
    if (agent.isEmbedded) return missing(index, 'an embedded agent ends with its controller');
    const recorded = recovery.facts.get(index)?.instanceId;
    if (secret === undefined) {
      const why = 'it was not asked: run.secret is not there';
      return missing(index, recorded === undefined ? unreachedWhy : why);
    }
    const instanceId = recorded ?? (await unrecorded(agent));
    if (instanceId === undefined) return missing(index, unreachedWhy);
    reached.add(index);
    say('debug', `Agent ${agent.id}: asked at ${agent.address} for what it kept`);
    const outcome = await fetchCheckpoint(
      {
        dial: { ...dialOf(agent, plan), clock, access },
        ...{ runId, secret, instanceId, identity: controllerIdentity() },
        abort: reason,
        log: (level, line) => {
          say(level, `Agent ${agent.id}: ${line}`);
        },
        accept: (message) => {
          intake.accept(index, message);
        },
        // On the disk, and not only in the file: the agent forgets it then.
        whenSafe: (safe) => {
          void journal.flush().then(() => {
            if (journal.failure === undefined) safe();
          });
        },
      },
      broken.signal,
    );
    intake.ended(index, outcome);
    if (outcome.kind !== 'fetched') return missing(index, outcome.reason);
    if (outcome.isWhole) return { agent: index, isComplete: true, reason };
    notice('warn', `Agent ${agent.id}: ${cutShort}`);
    return missing(index, cutShort);
  };
  if (plan.agents.some(({ index, isEmbedded }) => isEmbedded && !recovery.has(index))) {
    notice('info', 'Embedded agents end with their controller and keep nothing: none is asked');
  }
  const limit = pLimit(atOnce);
  const asked = await Promise.all(plan.agents.map((agent) => limit(() => askOne(agent))));
  const unreached = plan.agents.filter(({ index }) => !reached.has(index));
  if (unreached.length > 0) {
    const causes = unreached.map(({ id }) => `Agent ${id}: ${unreachedWhy}`);
    notice('warn', oneSentence(causes));
  }
  for (const entry of recovery.end(asked)) record(entry);
  await journal.close();
  if (journal.failure) throw notWritten(folder, journal.failure, keptYet);
  const isOpen = asked.some(
    ({ agent }) =>
      reached.has(agent) &&
      !plan.agents[agent]?.isEmbedded &&
      !intake.has(agent) &&
      !recovery.has(agent),
  );
  if (!isOpen) await forgetSecret(folder);
  else if (secret !== undefined) {
    say('info', 'An agent keeps what it has for an hour: recover can be repeated until then');
  }
  sayWhatStays(plan, say);
}

/** Recovering does not clean up: nobody knows how far that had come, and it can take long. */
function sayWhatStays(plan: Plan, say: Log): void {
  if (plan.dataset.keep || !plan.agents.some((agent) => makesDataset(plan, agent))) return;
  const removed = '"bench-controller cleanup" with the config and flags of the run removes it';
  say('info', `The dataset may still be on the agents: ${removed}`);
}

function missing(agent: number, why: string): Recovered {
  return { agent, isComplete: false, reason: why };
}

/** A crash may have left half a line: what is added begins on a line of its own. */
async function resumeJournal(path: string, clock: Clock): Promise<LineFile> {
  try {
    const file = await open(path, 'r+');
    try {
      const { size } = await file.stat();
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
      if (size > 0 && buffer[0] !== 0x0a) await file.write('\n', size);
    } finally {
      await file.close();
    }
    return await LineFile.resume(path, clock);
  } catch (thrown) {
    throw notWritten(path, thrown);
  }
}

function notWritten(path: string, thrown: unknown, hint?: string): MusterError {
  return new MusterError(`Cannot write results to ${path} (${writeFailureReason(thrown)})`, {
    exitCode: exitCodes.resultsNotWritten,
    cause: thrown,
    ...(hint !== undefined && { hint }),
  });
}
