import { Command } from 'commander';
import { exitCodes } from '../../shared/model/outcome.js';
import { checkText } from '../view/check-text.js';
import { accessOf, addAccessOptions, type AccessOptions } from './access-options.js';
import type { CommandIo } from './command-io.js';
import { addPlanOptions, embeddedFlags, loadPlanOf, type PlanOptions } from './plan-options.js';

interface CheckOptions extends PlanOptions, AccessOptions {
  readonly verbose?: boolean;
}

/** Preflight: everything that would stop a run, found before one is started. */
export function checkCommand(io: CommandIo): Command {
  return addAccessOptions(
    addPlanOptions(
      new Command('check').description(
        'preflight on every agent: reachable, version, clock, round trip, target, and what its load generator can do (a second for each shape of stage); exit 3 when one is not fit',
      ),
    ),
  )
    .option('-v, --verbose', 'show what is done on the way')
    .action(async (file: string, options: CheckOptions) => {
      const { plan } = await loadPlanOf(file, options, io);
      const { checkFleet } = await import('../shell/check-fleet.js');
      const access = await accessOf(options, io, plan.tls);
      const reachable = { plan, access, embeddedFlags: embeddedFlags(options) };
      let isInterrupted = false as boolean;
      const offSignal = io.onSignal(() => (isInterrupted = true));
      const outcomes = await checkFleet(reachable, io, (level, line) => {
        if (options.verbose === true) io.stderr.write(`${level}: ${line}\n`);
      }).finally(offSignal);
      io.stdout.write(checkText(plan, outcomes));
      if (isInterrupted) io.exitCode = exitCodes.interrupted;
      else if (outcomes.some(({ problems }) => problems.length > 0))
        io.exitCode = exitCodes.notStarted;
    });
}
