/** What a process has and uses, from /proc: Linux only. */
import fs from 'node:fs';

export interface Figures {
  readonly residentBytes: number;
  readonly handles: number;
  readonly threads: number;
  readonly children: number;
}

export function figuresOf(pid: number): Figures {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? NaN);
  return {
    residentBytes: field('VmRSS') * 1024,
    handles: fs.readdirSync(`/proc/${pid}/fd`).length,
    threads: field('Threads'),
    children: fs
      .readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean).length,
  };
}
