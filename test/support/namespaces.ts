/** Hosts of their own for agents: network namespaces, each with a link to this one. Linux, as root. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import type { TestContext } from 'node:test';
import { reasonOf } from '../../src/shared/kernel/errors.js';

export interface Host {
  readonly namespace: string;
  /** Of the host, as seen from here. */
  readonly address: string;
  /** Of this side of its link. */
  readonly here: string;
  link(state: 'up' | 'down'): void;
  /** Runs a command on the host. */
  inside(...command: string[]): void;
}

function ip(...argv: string[]): void {
  execFileSync('ip', argv, { stdio: 'pipe' });
}

let hostsSoFar = 0;

/** Namespaces that are gone after the test, or undefined (and the test says so) where they cannot be made. */
export function hosts(t: TestContext, count: number): readonly Host[] | undefined {
  const undo: (() => void)[] = [];
  t.after(() => {
    for (const one of undo.reverse()) one();
  });
  try {
    removeLeftovers();
    return Array.from({ length: count }, () => {
      hostsSoFar += 1;
      return connectedHost(hostsSoFar, undo);
    });
  } catch (thrown) {
    t.skip(`left out: network namespaces cannot be made here (${lastLine(thrown)})`);
    return undefined;
  }
}

/** What a test that was killed could not remove. */
function removeLeftovers(): void {
  const list = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  for (const [namespace, pid] of list.matchAll(/^muster-(\d+)-\d+/gm)) {
    if (!fs.existsSync(`/proc/${pid ?? ''}`)) ip('netns', 'del', namespace);
  }
}

function connectedHost(number: number, undo: (() => void)[]): Host {
  const namespace = `muster-${process.pid}-${number}`;
  const device = `mu${process.pid}h${number}`;
  // 198.18.0.0/15 is set aside for benchmarks of networks (RFC 2544): nobody else has it.
  const subnet = `198.18.${process.pid % 256}`;
  const [here, address] = [`${subnet}.${number * 4 + 1}`, `${subnet}.${number * 4 + 2}`];
  const inside = (...command: string[]): void => {
    ip('netns', 'exec', namespace, ...command);
  };
  ip('netns', 'add', namespace);
  undo.push(() => {
    ip('netns', 'del', namespace);
  });
  ip('link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
  // The namespace would take its link with it, but some time later.
  undo.push(() => {
    ip('link', 'del', device);
  });
  ip('addr', 'add', `${here}/30`, 'dev', device);
  ip('link', 'set', device, 'up');
  inside('ip', 'addr', 'add', `${address}/30`, 'dev', 'eth0');
  inside('ip', 'link', 'set', 'eth0', 'up');
  inside('ip', 'link', 'set', 'lo', 'up');
  return {
    namespace,
    address,
    here,
    link: (state) => {
      ip('link', 'set', device, state);
    },
    inside,
  };
}

/** Why `tc` cannot do this here; undefined: it is done. */
export function shapeTraffic(host: Host, ...qdisc: string[]): string | undefined {
  try {
    host.inside('tc', 'qdisc', 'add', 'dev', 'eth0', 'root', ...qdisc);
    return undefined;
  } catch (thrown) {
    return lastLine(thrown);
  }
}

function lastLine(thrown: unknown): string {
  return reasonOf(thrown).trim().split('\n').at(-1) ?? '';
}
