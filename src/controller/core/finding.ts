import type { KeyPath, Problem } from '../../shared/model/config/path.js';

export interface Finding extends Problem {
  /** A warning lets the run go on. */
  readonly level: 'error' | 'warning';
  /** Other keys that take part: when one of them is wrong already, this finding would be noise. */
  readonly about?: readonly KeyPath[];
}
