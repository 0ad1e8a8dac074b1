/**
 * Preloaded into the two programs (NODE_OPTIONS=--import=…) with MUSTER_TEST_TURNS=<file>: notes there how long the longest
 * turn of the control loop was, in CPU time of its thread. Wall-clock time would be that of the machine: while others have
 * the processor, or the process is stopped, no turn gets longer by it. Only compiled tests have this.
 *
 * A timer comes every 20 ms, and the CPU time since it came last is what the longest turn between can have taken at most:
 * never less than that, and at most 20 ms more, for nothing else can keep it from coming but turns of the loop.
 */
import fs from 'node:fs';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { turnsFile, type NotedTurn } from './turns.js';

const everyMs = 20;
/** Nanoseconds on the processor are the first field; see proc(5) and the kernel's sched-stats.rst. */
const cpuTime = '/proc/thread-self/schedstat';
const programs = new Set(['bench-agent.js', 'bench-controller.js', 'hasty-agent.js']);
const program = path.basename(process.argv[1] ?? '');
const file = process.env[turnsFile];

function watch(to: string): void {
  const counter = fs.openSync(cpuTime, 'r');
  const buffer = Buffer.alloc(96);
  const cpuMs = (): number =>
    parseInt(buffer.toString('latin1', 0, fs.readSync(counter, buffer, 0, 96, 0)), 10) / 1e6;
  let isControlling = false;
  let lastMs = cpuMs();
  let longestMs = 0;
  const note = (): void => {
    const { pid, argv } = process;
    const turn: NotedTurn = { program, argv: argv.slice(2), pid, longestMs };
    fs.appendFileSync(to, `${JSON.stringify(turn)}\n`);
  };
  const look = (): void => {
    const nowMs = cpuMs();
    const turnMs = nowMs - lastMs;
    lastMs = nowMs;
    const isLoading = !isControlling;
    // Until there is a socket the program is still being loaded: that is no turn of its control loop.
    isControlling ||= process.getActiveResourcesInfo().some((resource) => /^TCP/.test(resource));
    if (isLoading || turnMs <= longestMs) return;
    longestMs = turnMs;
    // One that is killed later has no last words.
    if (turnMs > 100) note();
  };
  setInterval(look, everyMs).unref();
  process.on('exit', () => {
    look();
    note();
  });
}

if (file && isMainThread && programs.has(program) && fs.existsSync(cpuTime)) {
  watch(file);
  // The workload process has no control loop; embedded agents of a controller have.
  if (program !== 'bench-controller.js') process.env[turnsFile] = '';
}
