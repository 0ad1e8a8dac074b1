import { spawn } from 'node:child_process';

/**
 * Forces what was written to the folder's file system out to the device, so that a stage does not compete with the
 * dataset's own write-back. Node has no syncfs; coreutils has (`sync -f`).
 * @returns why it could not be done; undefined when it was, or when it was cancelled
 */
export function syncFolder(folder: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn('sync', ['-f', folder], { stdio: ['ignore', 'ignore', 'pipe'] });
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (words += text));
    const stop = (): void => {
      child.kill('SIGKILL');
      resolve(undefined);
    };
    signal.addEventListener('abort', stop, { once: true });
    child.on('error', (error) => {
      signal.removeEventListener('abort', stop);
      resolve(error.message);
    });
    child.on('close', (code) => {
      signal.removeEventListener('abort', stop);
      resolve(code === 0 || signal.aborted ? undefined : words.trim());
    });
  });
}
