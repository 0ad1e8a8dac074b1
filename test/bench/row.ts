export interface BenchOptions {
  readonly target: string;
  readonly pairs: number;
  /** At least 3: CPU time is taken of whole seconds between the first and the last. */
  readonly seconds: number;
  /** Of the file that both sides work on; default 256 MiB. */
  readonly fileSizeBytes?: number;
}

export interface RowResult {
  readonly row: string;
  readonly what: string;
  readonly ours: string;
  readonly theirs: string;
  /** The figure that the floor is about. */
  readonly result: string;
  readonly remark: string;
  readonly floor: string;
  readonly isMet: boolean;
}
