import { Command } from 'commander';
import pLimit from 'p-limit';
import { exitCodes } from '../../shared/model/outcome.js';
import type { HelloReply } from '../../shared/model/messages.js';
import type { Access } from '../../shared/wire/access.js';
import { formatAddress, parseAgentAddresses, type Address } from '../../shared/wire/address.js';
import { DialError } from '../../shared/wire/dial-error.js';
import { clockTime } from '../core/calendar.js';
import { table } from '../view/table.js';
import { accessOf, addAccessOptions, type AccessOptions } from './access-options.js';
import type { CommandIo } from './command-io.js';
import { splitAgents } from './plan-options.js';

const connectMs = 5000;
const helloMs = 10_000;
const atOnce = 256;

interface AgentsOptions extends AccessOptions {
  readonly json?: boolean;
}

interface Answer {
  readonly address: string;
  readonly hello: HelloReply | undefined;
  readonly failure: string | undefined;
}

/** Who is there: asks every agent for its name, version, state and owner; changes nothing on any of them. */
export function agentsCommand(io: CommandIo): Command {
  return addAccessOptions(new Command('agents'))
    .description('show a fleet: version, state and owner of each agent; exit 3 when one is missing')
    .argument('<address...>', 'host, host:port, a range such as node[01-16]:7761, or a,b')
    .option('--json', 'print one JSON object per agent')
    .action(async (names: string[], options: AgentsOptions) => {
      const addresses = names.flatMap(listed).flatMap((name) => parseAgentAddresses(name));
      const access = await accessOf(options, io);
      const limit = pLimit(atOnce);
      const answers = await Promise.all(
        addresses.map((address) => limit(() => ask(address, access, io))),
      );
      io.stdout.write(options.json === true ? asJson(answers) : asTable(answers));
      if (answers.some(({ hello }) => hello === undefined)) io.exitCode = exitCodes.notStarted;
    });
}

/** As after --agents. What names nobody is left to be refused. */
function listed(names: string): readonly string[] {
  const list = splitAgents(names);
  return list.length > 0 ? list : [names];
}

async function ask(address: Address, access: Access, { clock }: CommandIo): Promise<Answer> {
  const name = formatAddress(address);
  try {
    const dial = { address, connectMs, helloMs, clock, access };
    const { greetAgent } = await import('../../shared/wire/dial-agent.js');
    const hello = await greetAgent(dial, new AbortController().signal);
    return { address: name, hello, failure: undefined };
  } catch (thrown) {
    if (thrown instanceof DialError) {
      const hint = thrown.hint === undefined ? '' : ` (${thrown.hint})`;
      return { address: name, hello: undefined, failure: thrown.message + hint };
    }
    throw thrown;
  }
}

function asTable(answers: readonly Answer[]): string {
  const rows = answers.flatMap(({ address, hello }) => {
    if (!hello) return [];
    const owner = hello.owner
      ? `run ${hello.owner.runId} of ${hello.owner.identity} since ${clockTime(hello.owner.sinceUnixMs)}`
      : '-';
    return [[address, hello.agentId || '-', hello.hostname, hello.version, hello.state, owner]];
  });
  const lines = rows.length
    ? table([['address', 'id', 'host', 'version', 'state', 'owner'], ...rows], '')
    : [];
  const kept = answers.flatMap(({ address, hello }) =>
    (hello?.checkpoints ?? []).map(({ runId, identity, savedUnixMs }) => {
      const saved = clockTime(savedUnixMs);
      return `${address}: checkpoint available for run ${runId} of ${identity} (last written ${saved})`;
    }),
  );
  const failures = answers.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  return [...lines, ...kept, ...failures].map((line) => `${line}\n`).join('');
}

function asJson(answers: readonly Answer[]): string {
  return answers.map((answer) => `${JSON.stringify(answer)}\n`).join('');
}
