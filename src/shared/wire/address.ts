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

/** Where to reach agents: `node1`, `node[01-16]:7761`, `[v6]:port`, `:7761` (this host), `grpc://…`, `dns:///…`. */
export function parseAgentAddresses(text: string): Address[] {
  return expandRanges(withoutScheme(text), text).map((plain) => {
    const { host, port } = split(plain, text);
    if (port === 0) throw refusal(text, 'port 0 cannot be dialled');
    return { host: host ?? 'localhost', port };
  });
}

/** Where to listen: `:7761` and a bare `7761` mean no host in particular; port 0 is any free one. */
export function parseListenAddress(
  text: string,
  usualPort = defaultPort,
): { host: string | undefined; port: number } {
  const plain = withoutScheme(text);
  return split(/^\d+$/.test(plain) ? `:${plain}` : plain, text, usualPort);
}

function withoutScheme(text: string): string {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(text.trim());
  if (!match) return text.trim();
  const [, scheme = '', rest = ''] = match;
  switch (scheme.toLowerCase()) {
    case 'grpc':
      return rest.replace(/\/$/, '');
    case 'dns':
      if (!rest.startsWith('/')) throw refusal(text, 'a DNS server of its own is not supported');
      return rest.slice(1);
    case 'http':
    case 'https':
      throw refusal(text, 'agents speak gRPC, not HTTP', rest.replace(/\/.*$/, ''));
    default:
      throw refusal(text, `there is no such thing as ${scheme}:// here`);
  }
}

function split(
  plain: string,
  text: string,
  usualPort = defaultPort,
): { host: string | undefined; port: number } {
  if (plain === '') throw refusal(text, 'it is empty');
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(plain);
  if (bracketed) {
    const [, host = '', port] = bracketed;
    if (!ipv6Pattern.test(host)) throw refusal(text, `[${host}] is not an IPv6 address`);
    return { host, port: portOf(port, text, usualPort) };
  }
  if (/^\[[^\]]*$/.test(plain)) throw refusal(text, 'its bracket is not closed');
  const [host = '', port, ...more] = plain.split(':');
  if (more.length > 0) {
    const isIpv6 = isIPv6(plain);
    const reason = isIpv6 ? 'an IPv6 address stands in brackets' : 'it has more than one port';
    throw refusal(text, reason, isIpv6 ? `[${plain}]:${defaultPort}` : undefined);
  }
  if (host === '') return { host: undefined, port: portOf(port, text, usualPort) };
  if (!hostPattern.test(host)) throw refusal(text, `"${host}" is not a host name`);
  return { host, port: portOf(port, text, usualPort) };
}

function portOf(text: string | undefined, whole: string, usualPort: number): number {
  if (text === undefined) return usualPort;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65535) return port;
  throw refusal(whole, `"${text}" is not a port (0 to 65535)`);
}

/** `rack[1-2]-node[01-03,07]` → every combination; the written width of numbers is kept. */
function expandRanges(plain: string, text: string): string[] {
  const range = /\[([\d,\s-]+)\]/.exec(plain);
  if (!range) return [plain];
  const before = plain.slice(0, range.index);
  const after = plain.slice(range.index + range[0].length);
  const expanded = (range[1] ?? '').split(',').flatMap((part) => numbersOf(part.trim(), text));
  const tails = expandRanges(after, text);
  if (expanded.length * tails.length > mostAddresses) {
    throw refusal(text, `it stands for more than ${mostAddresses} addresses`);
  }
  return expanded.flatMap((number) => tails.map((tail) => `${before}${number}${tail}`));
}

function numbersOf(part: string, text: string): string[] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(part);
  if (!match) throw refusal(text, `"${part}" is not a range such as 01-16`);
  const [, first = '', last = first] = match;
  const [from, to] = [Number(first), Number(last)];
  if (from > to) throw refusal(text, `the range ${part} runs backwards`);
  if (to - from >= mostAddresses) {
    throw refusal(text, `it stands for more than ${mostAddresses} addresses`);
  }
  return Array.from({ length: to - from + 1 }, (_, index) =>
    String(from + index).padStart(first.length, '0'),
  );
}

function refusal(text: string, reason: string, instead = 'node1:7761'): MusterError {
  return new MusterError(`"${text}" is not an agent address: ${reason}.`, {
    exitCode: 2,
    hint: `Write for example ${instead}, [::1]:7761 or node[01-16]:7761.`,
  });
}
