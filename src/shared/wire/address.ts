import { isIPv6 } from 'node:net';
import { MusterError } from '../kernel/errors.js';

export const defaultPort = 7761;

/** A plain address: name or IPv4, or an IPv6 address without brackets. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Longest list that ranges may expand to: more than any fleet, less than a typing mistake can make. */
const mostAddresses = 4096;
const hostPattern = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?$/i;
const ipv6Pattern = /^[0-9a-f:.]*:[0-9a-f:.]*(%[\w.-]+)?$/i;

/** As a person writes it, with the port: `node1:7761`, `[::1]:7761`. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Why an address is refused, and what may be written instead. */
type Refuse = (reason: string, instead?: string) => MusterError;

/** Where to reach agents: `node1`, `node[01-16]:7761`, `[v6]:port`, `:7761` (this host), `grpc://…`, `dns:///…`. */
export function parseAgentAddresses(text: string): Address[] {
  const refuse: Refuse = (reason, instead = 'node1:7761') =>
    new MusterError(`"${text}" is not an agent address: ${reason}.`, {
      exitCode: 2,
      hint: `Write for example ${instead}, [::1]:7761 or node[01-16]:7761.`,
    });
  return expandRanges(withoutScheme(text, refuse), refuse).map((plain) => {
    const { host, port } = split(plain, defaultPort, refuse);
    if (port === 0) throw refuse('port 0 cannot be dialled');
    return { host: host ?? 'localhost', port };
  });
}

/** Where to listen: `:7761` and a bare `7761` mean no host in particular; port 0 is any free one. */
export function parseListenAddress(
  text: string,
  usualPort = defaultPort,
): { host: string | undefined; port: number } {
  const port = String(usualPort);
  const refuse: Refuse = (reason, instead = `:${port}`) =>
    new MusterError(`"${text}" is not an address to listen on: ${reason}.`, {
      exitCode: 2,
      hint: `Write for example ${instead}, 10.0.0.5:${port} or [::1]:${port}.`,
    });
  const bare = /^https?:\/\/([^/]*)/i.exec(text.trim())?.[1];
  if (bare !== undefined) throw refuse('it is written without http://', bare);
  const plain = withoutScheme(text, refuse);
  return split(/^\d+$/.test(plain) ? `:${plain}` : plain, usualPort, refuse);
}

function withoutScheme(text: string, refuse: Refuse): string {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(text.trim());
  if (!match) return text.trim();
  const [, scheme = '', rest = ''] = match;
  switch (scheme.toLowerCase()) {
    case 'grpc':
      return rest.replace(/\/$/, '');
    case 'dns':
      if (!rest.startsWith('/')) throw refuse('a DNS server of its own is not supported');
      return rest.slice(1);
    case 'http':
    case 'https':
      throw refuse('agents speak gRPC, not HTTP', rest.replace(/\/.*$/, ''));
    default:
      throw refuse(`there is no such thing as ${scheme}:// here`);
  }
}

function split(
  plain: string,
  usualPort: number,
  refuse: Refuse,
): { host: string | undefined; port: number } {
  if (plain === '') throw refuse('it is empty');
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(plain);
  if (bracketed) {
    const [, host = '', port] = bracketed;
    if (!ipv6Pattern.test(host)) throw refuse(`[${host}] is not an IPv6 address`);
    return { host, port: portOf(port, usualPort, refuse) };
  }
  if (/^\[[^\]]*$/.test(plain)) throw refuse('its bracket is not closed');
  const [host = '', port, ...more] = plain.split(':');
  if (more.length > 0) {
    const isIpv6 = isIPv6(plain);
    const reason = isIpv6 ? 'an IPv6 address stands in brackets' : 'it has more than one port';
    throw refuse(reason, isIpv6 ? `[${plain}]:${usualPort}` : undefined);
  }
  if (host === '') return { host: undefined, port: portOf(port, usualPort, refuse) };
  if (!hostPattern.test(host)) throw refuse(`"${host}" is not a host name`);
  return { host, port: portOf(port, usualPort, refuse) };
}

function portOf(text: string | undefined, usualPort: number, refuse: Refuse): number {
  if (text === undefined) return usualPort;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65535) return port;
  throw refuse(`"${text}" is not a port (0 to 65535)`);
}

/** `rack[1-2]-node[01-03,07]` → every combination; the written width of numbers is kept. */
function expandRanges(plain: string, refuse: Refuse): string[] {
  const range = /\[([\d,\s-]+)\]/.exec(plain);
  if (!range) return [plain];
  const before = plain.slice(0, range.index);
  const after = plain.slice(range.index + range[0].length);
  const expanded = (range[1] ?? '').split(',').flatMap((part) => numbersOf(part.trim(), refuse));
  const tails = expandRanges(after, refuse);
  if (expanded.length * tails.length > mostAddresses) {
    throw refuse(`it stands for more than ${mostAddresses} addresses`);
  }
  return expanded.flatMap((number) => tails.map((tail) => `${before}${number}${tail}`));
}

function numbersOf(part: string, refuse: Refuse): string[] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(part);
  if (!match) throw refuse(`"${part}" is not a range such as 01-16`);
  const [, first = '', last = first] = match;
  const [from, to] = [Number(first), Number(last)];
  if (from > to) throw refuse(`the range ${part} runs backwards`);
  if (to - from >= mostAddresses) {
    throw refuse(`it stands for more than ${mostAddresses} addresses`);
  }
  return Array.from({ length: to - from + 1 }, (_, index) =>
    String(from + index).padStart(first.length, '0'),
  );
}
