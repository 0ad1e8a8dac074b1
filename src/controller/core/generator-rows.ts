import type { Interval } from '../../shared/model/messages.js';

/** How an agent's load generator was in the seconds `first` … `last`; fields as in Interval. */
export type GeneratorRow = Pick<
  Interval,
  | 'first'
  | 'last'
  | 'hostCpu'
  | 'runnerCpu'
  | 'busiestThreadCpu'
  | 'lateWakeUps'
  | 'sampledLateNs'
  | 'runnerLoopDelayNs'
  | 'runnerGcNs'
  | 'controlLoopDelayNs'
  | 'controlGcNs'
>;

const names = [
  'first',
  'last',
  'hostCpu',
  'runnerCpu',
  'busiestThreadCpu',
  'lateWakeUps',
  'sampledLateNs',
  'runnerLoopDelayNs',
  'runnerGcNs',
  'controlLoopDelayNs',
  'controlGcNs',
] as const satisfies readonly (keyof GeneratorRow)[];

/** Rows in order of arrival, packed: 88 bytes each. */
export class GeneratorRows {
  #data = new Float64Array(names.length * 16);
  #length = 0;

  push(interval: GeneratorRow): void {
    const offset = this.#length * names.length;
    if (offset === this.#data.length) {
      const larger = new Float64Array(offset * 2);
      larger.set(this.#data);
      this.#data = larger;
    }
    for (const [column, name] of names.entries()) this.#data[offset + column] = interval[name];
    this.#length += 1;
  }

  /** By time: back-filled ones come after later ones. */
  inOrder(): readonly GeneratorRow[] {
    const rows = Array.from({ length: this.#length }, (_, row) => {
      const cells = names.map((name, column) => [
        name,
        this.#data[row * names.length + column] ?? 0,
      ]);
      return Object.fromEntries(cells) as GeneratorRow;
    });
    return rows.sort((a, b) => a.first - b.first);
  }
}
