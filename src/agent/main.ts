import { CommanderError } from 'commander';
import { MusterError } from '../shared/kernel/errors.js';
import { systemClock } from '../shared/kernel/system-clock.js';
import { exitCodes } from '../shared/model/outcome.js';
import { version } from '../shared/model/version.js';
import { readAccess } from '../shared/wire/access-files.js';
import { parseListenAddress } from '../shared/wire/address.js';
import { openAgentWarning } from '../shared/wire/open-door.js';
import { agentProgram } from './cli.js';
import type { AgentFlags } from './cli.js';
import { checkRoots } from './shell/check-roots.js';
import { createLog } from './shell/program-log.js';
import { serveAgent } from './shell/serve.js';

const metricsPort = 9761;
const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs the command line and gives the exit code. A process that was forked with a channel belongs to its parent: it is
 * told the port over the channel (`{kind: 'listening', port}`), and leaves when the channel closes.
 */
export async function main(process: NodeJS.Process): Promise<number> {
  process.on('uncaughtException', (error) => {
    process.stderr.write(internalError(error));
    process.exit(exitCodes.internal);
  });
  for (const output of [process.stdout, process.stderr]) {
    // Whoever read the log has gone (a closed pipe): that must not end a run.
    output.on('error', () => undefined);
  }
  let code: number = exitCodes.completed;
  try {
    const program = agentProgram(version, async (flags) => {
      code = await serve(flags, process);
    });
    await program.parseAsync(process.argv);
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      // commander has printed its sentence; --help and --version come this way too, with 0
      return thrown.exitCode === 0 ? exitCodes.completed : exitCodes.usage;
    }
    if (thrown instanceof MusterError) {
      process.stderr.write(`ERROR: ${thrown.message}\n${thrown.hint ? `${thrown.hint}\n` : ''}`);
      return thrown.exitCode;
    }
    process.stderr.write(internalError(thrown));
    return exitCodes.internal;
  }
}

async function serve(flags: AgentFlags, process: NodeJS.Process): Promise<number> {
  const { once, id, verbose, logFormat } = flags;
  // `connected` is false already when the parent has died while this program was loaded.
  const hasParent = process.send !== undefined;
  const log = createLog({
    format: logFormat,
    verbose,
    clock: systemClock,
    write: (line) => process.stderr.write(line),
  });
  const { tokenFile, tlsCert: cert, tlsKey: key, tlsCa: ca } = flags;
  const { BENCH_TOKEN: environmentToken, ...env } = process.env;
  if (ca !== undefined && cert === undefined) {
    throw new MusterError(
      '--tls-ca needs --tls-cert and --tls-key: an agent with TLS has a certificate',
      {
        exitCode: exitCodes.usage,
        hint: 'docs/security.md says how to make one.',
      },
    );
  }
  const access = await readAccess({ tokenFile, environmentToken, tls: { ca, cert, key } });
  const listen = parseListenAddress(flags.listen);
  const warning = openAgentWarning(listen.host ?? '', access);
  if (warning !== undefined) log('warn', warning);
  const agent = await serveAgent({
    listen,
    access,
    once,
    id,
    roots: await checkRoots(flags.roots, systemClock),
    consent: {
      existing: flags.allowExisting,
      devices: flags.allowDevices,
      dropCaches: flags.allowDropCaches,
    },
    // The workload process has no use for the token.
    env,
    spool: flags.spool,
    metrics:
      flags.metrics === undefined ? undefined : parseListenAddress(flags.metrics, metricsPort),
    clock: systemClock,
    log,
  });
  for (const signal of signals) process.on(signal, () => agent.stop(signal));
  // Only now: who has read the line may send a signal.
  const shown = agent.metricsPort === undefined ? '' : `, metrics on port ${agent.metricsPort}`;
  process.stdout.write(
    `bench-agent ${version} listening on ${agent.address} (id ${agent.id})${shown}\n`,
  );
  if (hasParent) {
    const orphaned = (): void => {
      agent.stop('the end of the parent process');
    };
    process.once('disconnect', orphaned);
    // Where the parent is gone and the channel's end has not been read yet, `disconnect` follows the failure to send.
    const port = { kind: 'listening', port: agent.port };
    if (process.connected) process.send?.(port, undefined, undefined, () => undefined);
    else orphaned();
  }
  const code = await agent.left;
  // The channel would keep the process alive.
  if (process.connected) process.disconnect();
  return code;
}

function internalError(thrown: unknown): string {
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return `INTERNAL ERROR (a bug in Muster, please report it): ${stack}\n`;
}
