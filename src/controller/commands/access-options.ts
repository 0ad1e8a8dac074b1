/** `--token-file` and `--tls-*`: the flags of every command that talks to agents. */
import type { Command } from 'commander';
import { readAccess, type TlsPaths } from '../../shared/wire/access-files.js';
import type { Access } from '../../shared/wire/access.js';
import type { CommandIo } from './command-io.js';

export interface AccessOptions {
  readonly tokenFile?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

export function addAccessOptions(command: Command): Command {
  return command
    .option(
      '--token-file <file>',
      "the agents' token (also: BENCH_TOKEN in the environment); see docs/security.md",
    )
    .option('--tls-ca <file>', 'encrypt, and trust agents with a certificate of this authority')
    .option('--tls-cert <file>', 'own certificate, for agents that want one')
    .option('--tls-key <file>', 'its key');
}

/** Flags go before the config. @throws MusterError (exit 2) when a file is unfit */
export function accessOf(
  { tokenFile, tlsCa, tlsCert, tlsKey }: AccessOptions,
  { env }: Pick<CommandIo, 'env'>,
  config: TlsPaths = {},
): Promise<Access> {
  // A certificate and its key come from one place. An empty flag is a mistake to be told, not a flag that is not there.
  const own = (tlsCert ?? tlsKey) !== undefined ? { cert: tlsCert, key: tlsKey } : config;
  return readAccess({
    tokenFile,
    environmentToken: env['BENCH_TOKEN'],
    tls: { ca: tlsCa ?? config.ca, cert: own.cert, key: own.key },
  });
}
