import { Command, Help, InvalidArgumentError, Option } from 'commander';
import type { LogFormat } from './shell/program-log.js';

/** The command line of bench-agent, read. */
export interface AgentFlags {
  readonly listen: string;
  readonly once: boolean;
  readonly id: string;
  readonly roots: readonly string[];
  /** False: --no-spool. */
  readonly spool?: string | false;
  readonly allowExisting: boolean;
  readonly allowDevices: boolean;
  readonly allowDropCaches: boolean;
  readonly verbose: boolean;
  readonly logFormat: LogFormat;
  readonly metrics?: string;
  readonly tokenFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
}

interface Parsed extends Omit<AgentFlags, 'roots'> {
  readonly root: readonly string[];
}

const after = `
Examples:
  bench-agent                                  serve on port 7761 of all interfaces
  bench-agent --listen 10.0.0.5:7761           on one interface only
  bench-agent --root /mnt/array --root /nvme   runs may only use targets inside these folders
  bench-agent --spool /var/lib/muster          keep checkpoints on a disk: they outlive a reboot
  bench-agent --root /dev/nvme1n1 --allow-devices
                                               runs may overwrite this device, and use nothing else
  bench-agent --metrics :9761                  GET /metrics for Prometheus
  bench-agent --once --log-format json         leave after one run; log for machines
  bench-agent --token-file /etc/muster/token   only for controllers with that token (docs/security.md)

Exit codes:
  0    stopped while idle; or, with --once, one run is done or its controller is gone
  2    bad usage: unknown flag, --root is no folder or device, a token or certificate is unfit,
       an address cannot be listened on
  70   internal error (a bug)
  130  stopped by SIGINT or SIGTERM while a run had the agent: the run was aborted
`;

/** It is printed in tables and logs. */
function idOf(text: string): string {
  if (/^\P{C}{1,64}$/u.test(text)) return text;
  throw new InvalidArgumentError('It is 1 to 64 characters that can be printed.');
}

/** `serve` is called with the flags when they are right; commander throws CommanderError when not (or after --help). */
export function agentProgram(
  version: string,
  serve: (flags: AgentFlags) => Promise<void>,
): Command {
  return new Command('bench-agent')
    .description('Generates load on this host, at the command of a bench-controller.')
    .option('--listen <address>', 'where to listen: :port, host:port, [v6]:port', ':7761')
    .option('--once', 'exit after one run', false)
    .addOption(
      new Option('--id <name>', 'name of this agent, shown by `bench-controller agents`')
        .argParser(idOf)
        .default('', "the host's name"),
    )
    .addOption(
      new Option('--root <folder>', 'confine targets to this folder or device; may be repeated')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--allow-existing', 'runs may read files and devices that are there already', false)
    .option('--allow-devices', 'runs may also write them: what is on them will be lost', false)
    .option(
      '--allow-drop-caches',
      "drop_cache may drop the page cache of this whole host by the kernel's switch (as root)",
      false,
    )
    .option(
      '--spool <folder>',
      "keep there what runs report until their controllers have it (default: in the system's runtime folder)",
      named,
    )
    .option('--no-spool', 'keep nothing')
    .option(
      '--token-file <file>',
      'take runs only from controllers with the same token (also: BENCH_TOKEN in the environment)',
    )
    .option('--tls-cert <file>', 'own certificate (PEM): the link is encrypted')
    .option('--tls-key <file>', 'its key (PEM)')
    .option('--tls-ca <file>', 'take only controllers with a certificate of this authority (PEM)')
    .option(
      '--metrics <address>',
      "show Prometheus' metrics there over HTTP, to everybody: :port, host:port",
    )
    .option('-v, --verbose', 'log more', false)
    .addOption(
      new Option('--log-format <format>', 'how to log').choices(['text', 'json']).default('text'),
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .configureHelp({
      // A switch is off unless it is given.
      optionDescription: (option) =>
        option.isBoolean() ? option.description : new Help().optionDescription(option),
    })
    .addHelpText('after', after)
    .allowExcessArguments(false)
    .exitOverride()
    .action(async (parsed: Parsed) => {
      const { root, ...flags } = parsed;
      await serve({ ...flags, roots: root });
    });
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, named(value)];
}

/** An unset variable of a shell would name the working directory. */
function named(folder: string): string {
  if (folder !== '') return folder;
  throw new InvalidArgumentError('It is empty.');
}
