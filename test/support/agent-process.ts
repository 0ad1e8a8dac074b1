import { Program } from './program.js';

/** A real agent on a free port of the loopback interface. */
export interface AgentProcess {
  readonly program: Program;
  readonly port: number;
  /** 127.0.0.1:port */
  readonly address: string;
}

/** Starts bench-agent and waits until it listens; `argv` are flags besides --listen. */
export async function startAgentProcess(
  argv: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<AgentProcess> {
  const program = new Program('bench-agent', ['--listen', '127.0.0.1:0', ...argv], env);
  const [, address = '', port = ''] = await program.waitFor(/listening on (127\.0\.0\.1:(\d+)) /);
  return { program, port: Number(port), address };
}

/** Resolves when no process with this id is left; for one that is not a child of the test. */
export async function processGone(pid: number, withinMs = 30_000): Promise<void> {
  const deadline = AbortSignal.timeout(withinMs);
  while (isAlive(pid)) {
    if (deadline.aborted) throw new Error(`process ${String(pid)} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
