import type { DatasetPaths } from '../engines/engine.js';

/** Names in a dataset's folder, relative to it. `churn` holds what stages make and remove. */
export const dataFolder = 'data';
export const churnFolder = 'churn';
export const markerName = '.muster-dataset.json';

/** Says which run has the folder: a neighbour that sees it there sees the same file system. */
export const hereName = '.muster-here.json';

/** The folder of another agent's private dataset, seen from one's own. */
export function neighbourFolder(agentIndex: number): string {
  return `../${String(agentIndex)}`;
}

/** What paths of a stage's files begin with, seen from the agent's own folder. @param owner whose files they are */
export function homeOf(owner: number, agentIndex: number, isShared: boolean): string {
  return isShared || owner === agentIndex ? '' : `${neighbourFolder(owner)}/`;
}

/** Says which run uses the agent's part now (dataset-lease.ts). */
export function leaseName(agentIndex: number): string {
  return `.muster-in-use-${String(agentIndex)}.json`;
}

export function manifestName(agentIndex: number): string {
  return `.muster-manifest-${String(agentIndex)}.json`;
}

/** Which write to each block was the last (verify/write-history.ts). One for all agents of a shared folder. */
export const historyName = '.muster-written';

/** Beyond this many files paths are put together anew each time: a table per worker would cost too much memory. */
const tableLimit = 16_384;

export interface Directories {
  readonly width: number;
  readonly depth: number;
}

/** How many lowest folders there are: files whose numbers differ by a multiple of it lie in the same one. */
export function leavesOf({ width, depth }: Directories): number {
  return width ** depth;
}

/** The folder of file `index`: files go round robin over the width^depth leaves, `data/d3/d0`. */
export function folderOf(index: number, { width, depth }: Directories): string {
  let path = '';
  let leaf = index % leavesOf({ width, depth });
  for (let level = 0; level < depth; level++) {
    path = `/d${String(leaf % width)}${path}`;
    leaf = Math.floor(leaf / width);
  }
  return dataFolder + path;
}

export function filePath(index: number, directories: Directories): string {
  return `${folderOf(index, directories)}/f${String(index)}`;
}

/** Paths of a dataset and of one agent's churn entries. `home`: where the files are another agent's, `../3/`. */
export class DatasetLayout implements DatasetPaths {
  readonly #home: string;
  readonly #directories: Directories;
  readonly #agentChurn: string;
  readonly #from: number;
  readonly #table: readonly string[] | undefined;

  constructor(
    directories: Directories,
    agentIndex: number,
    use: { readonly from: number; readonly to: number },
    home = '',
  ) {
    this.#home = home;
    this.#directories = directories;
    this.#agentChurn = `${churnFolder}/${String(agentIndex)}/`;
    this.#from = use.from;
    const count = use.to - use.from;
    if (count <= tableLimit) {
      this.#table = Array.from(
        { length: count },
        (_, i) => home + filePath(use.from + i, directories),
      );
    }
  }

  file(index: number): string {
    return this.#table?.[index - this.#from] ?? this.#home + filePath(index, this.#directories);
  }

  folderOf(index: number): string {
    return this.#home + folderOf(index, this.#directories);
  }

  churnHome(lane: number): string {
    return this.#agentChurn + String(lane);
  }

  churnFile(lane: number, entry: number): string {
    return `${this.#agentChurn}${String(lane)}/p${String(entry)}`;
  }

  churnFolder(lane: number, entry: number): string {
    return `${this.#agentChurn}${String(lane)}/d${String(entry)}`;
  }
}
