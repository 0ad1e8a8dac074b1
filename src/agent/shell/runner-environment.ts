/** libuv's own bounds of its pool of threads: its default, its most. */
const fewest = 4;
const most = 1024;

/** Node's own: its WASI is experimental by name, in every version that we run on. */
export const runnerArguments: readonly string[] = ['--disable-warning=ExperimentalWarning'];

/**
 * What of a runner's environment decides how libuv does asynchronous file operations. It is read when the process
 * starts, so it has to be known then. The rings cost every thread a polling thread: only a run that uses them gets them.
 */
export function runnerEnvironment(depth: number): NodeJS.ProcessEnv {
  return {
    UV_USE_IO_URING: depth > 0 ? '1' : '0',
    UV_THREADPOOL_SIZE: String(Math.min(most, Math.max(fewest, depth))),
  };
}
