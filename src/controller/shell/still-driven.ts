/** A run that goes on must not be ended by `recover`: is there still somebody who drives it? */
import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Clock } from '../../shared/kernel/clock.js';
import { MusterError, reasonOf } from '../../shared/kernel/errors.js';
import { exitCodes } from '../../shared/model/outcome.js';
import type { AgentPlan, Plan } from '../../shared/model/plan.js';
import { greetAgent } from '../../shared/wire/dial-agent.js';
import type { DialOptions } from '../../shared/wire/dial-agent.js';
import { DialError } from '../../shared/wire/dial-error.js';
import { addressOf } from './agent-link.js';
import { isDriven, isWritten, readSecret } from './run-secret.js';

const atOnce = 64;
const never = new AbortController().signal;

/** `elsewhere`: where who drives it would be; what it writes is all that can be seen of it from here. */
export interface KeptSecret {
  readonly secret: string;
  readonly elsewhere?: string;
}

/** Undefined: the secret is not kept. @throws MusterError when the run goes on */
export async function demandNotDriven(
  folder: string,
  runId: string,
  clock: Clock,
): Promise<KeptSecret | undefined> {
  const kept = await readSecret(folder).catch((thrown: unknown) => {
    throw new MusterError(`Cannot read ${join(folder, 'run.secret')}: ${reasonOf(thrown)}`, {
      exitCode: exitCodes.usage,
      hint: 'Only who started the run can read it: recover as that user.',
      cause: thrown,
    });
  });
  if (kept?.runId !== runId) return undefined;
  const { secret, host, pid } = kept;
  const driven = isDriven(kept);
  if (driven === true) throw goesOn(folder, `process ${String(pid)} drives or recovers it`);
  if (driven === false) return { secret };
  if (await isWritten(join(folder, 'journal.ndjson'), clock)) {
    throw goesOn(folder, `its journal is being written to from ${host}`);
  }
  return { secret, elsewhere: host };
}

/** A controller whose disk is full, or hangs, writes nothing; its agents hear it all the same. @throws MusterError */
export async function demandUnheard(
  folder: string,
  runId: string,
  asked: readonly { readonly id: string; readonly dial: DialOptions }[],
): Promise<void> {
  const limit = pLimit(atOnce);
  const hears = async (dial: DialOptions): Promise<boolean> => {
    try {
      const { owner, ownerSpeaks } = await greetAgent(dial, never);
      return owner?.runId === runId && ownerSpeaks;
    } catch (thrown) {
      if (!(thrown instanceof DialError)) throw thrown;
      return false;
    }
  };
  const answers = await Promise.all(asked.map(({ dial }) => limit(() => hears(dial))));
  const who = asked.filter((_, index) => answers[index] === true).map(({ id }) => id);
  if (who[0] === undefined) return;
  const others = who.length > 1 ? ` and ${String(who.length - 1)} more` : '';
  throw goesOn(folder, `its controller is connected to ${who[0]}${others}`);
}

export function dialOf(agent: AgentPlan, plan: Plan) {
  const { connectMs, helloMs } = plan.timeouts;
  return { address: addressOf(agent), connectMs, helloMs };
}

function goesOn(folder: string, why: string): MusterError {
  return new MusterError(`The run in ${folder} goes on: ${why}`, {
    exitCode: exitCodes.usage,
    hint: 'Recover is for a run whose controller is gone. Ctrl-C ends one that is not.',
  });
}
