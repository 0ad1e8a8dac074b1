import { readFileSync } from 'node:fs';
import { Program } from './program.js';

/** A real agent on a free port of the loopback interface. */
export interface AgentProcess {
  readonly program: Program;
  readonly port: number;
  /** 127.0.0.1:port */
  readonly address: string;
}

/** Starts bench-agent and waits until it listens; `argv` are flags besides --listen. Port 0: any free one. */
export async function startAgentProcess(
  argv: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
  listenPort = 0,
): Promise<AgentProcess> {
  const listen = ['--listen', `127.0.0.1:${listenPort}`];
  const program = new Program('bench-agent', [...listen, ...argv], env);
  const [, address = '', port = ''] = await program.waitFor(/listening on (127\.0\.0\.1:(\d+)) /);
  return { program, port: Number(port), address };
}

/**
 * Resolves when no process with this id runs any more; for one that is not a child of the test. One that has ended but
 * is not taken note of by its parent, which may be stopped, counts as gone.
 */
export async function processGone(pid: number, withinMs = 30_000): Promise<void> {
  const deadline = AbortSignal.timeout(withinMs);
  while (isAlive(pid)) {
    if (deadline.aborted) throw new Error(`process ${String(pid)} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || !hasEnded(pid);
}

function hasEnded(pid: number): boolean {
  try {
    return /^State:\s*[ZX]/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw thrown;
  }
}

/** CPU seconds a process uses within a window of time; Linux only. */
export async function cpuSecondsDuring(pid: number, windowMs: number): Promise<number> {
  const before = cpuTicks(pid);
  await new Promise((resolve) => setTimeout(resolve, windowMs));
  return (cpuTicks(pid) - before) / 100;
}

/** User and system time in ticks, which are 1/100 s on every Linux (USER_HZ). */
export function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  // The second field, the name, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
