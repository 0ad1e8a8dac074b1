import fs from 'node:fs';
import path from 'node:path';
import type { Check } from '../../../src/controller/core/rehearsal/verdict.js';
import type { RehearsalAgents } from '../../../src/controller/shell/rehearsal/rehearsal-agents.js';
import { filesBelow } from '../temporary-folder.js';

/** What the agents keep on their disks while a run goes on, and after it. */
export class SpoolWatch {
  /** Bytes by agent, look by look. */
  readonly #looks: (readonly number[])[] = [];
  #left: readonly number[] | undefined;

  look(agents: RehearsalAgents): void {
    this.#looks.push(bytesOf(agents));
  }

  /** After the run's end. */
  lookAtLast(agents: RehearsalAgents): void {
    this.#left = bytesOf(agents);
  }

  /** @param looks at least so many */
  grew(looks: number): Check {
    return {
      expected: 'every spool grows from look to look',
      wrong: () => {
        const [first = []] = this.#looks;
        if (this.#looks.length < looks)
          return `the spools were looked at ${this.#looks.length} times`;
        const index = first.findIndex((_, agent) =>
          this.#looks.some(
            (one, time) => (one[agent] ?? 0) <= (this.#looks[time - 1]?.[agent] ?? 0),
          ),
        );
        if (index < 0) return undefined;
        return `the spool of agent-${index + 1} had ${this.#looks.map((one) => one[index]).join(', ')} bytes`;
      },
    };
  }

  readonly emptied: Check = {
    expected: 'what the controller has is kept no longer',
    wrong: () => {
      if (!this.#left) return 'nobody looked at the spools after the run';
      const index = this.#left.findIndex((bytes) => bytes > 0);
      return index < 0
        ? undefined
        : `${this.#left[index] ?? 0} bytes are left in the spool of agent-${index + 1}`;
    },
  };
}

function bytesOf(agents: RehearsalAgents): number[] {
  return agents.all.map(({ spool }) =>
    filesBelow(spool).reduce((sum, file) => sum + fs.statSync(path.join(spool, file)).size, 0),
  );
}
