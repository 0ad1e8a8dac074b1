import type { Evidence, Row } from './evidence.js';
import { counted } from '../../../shared/kernel/counted.js';

/** The first place where summary, agents, their seconds and the run's seconds do not add up to the same. */
export function sumsProblem({ summary, rows }: Evidence): string | undefined {
  if (!summary) return 'there is no summary.json to add up';
  for (const stage of summary.stages) {
    const ofStage = rows.filter((row) => row['stage'] === stage.name);
    for (const [operation, totals] of Object.entries(stage.operations)) {
      const seconds = ofStage.filter((row) => row['operation'] === operation);
      const parts = Object.values(stage.agents).flatMap(
        (agent) => agent.operations[operation] ?? [],
      );
      for (const [field, column] of columns) {
        const sums = {
          summary: totals[field],
          agents: sum(parts.map((part) => part[field])),
          'agent-seconds': sumOf(seconds, column, (agent) => agent !== '*'),
          seconds: sumOf(seconds, column, (agent) => agent === '*'),
        };
        if (new Set(Object.values(sums)).size > 1) {
          return `${stage.name} ${operation} ${field}: ${JSON.stringify(sums)}`;
        }
      }
    }
  }
  return undefined;
}

const columns = [
  ['count', 'ops'],
  ['bytes', 'bytes'],
  ['errors', 'errors'],
] as const;

/** What is wrong with the seconds of an agent in a stage: a hole, one that came twice, one of which no sample came. */
export function timeLineProblem(
  { summary, rows }: Evidence,
  agent: string,
  stage: string,
): string | undefined {
  const missing = summary?.stages.find(({ name }) => name === stage)?.agents[agent]
    ?.missing_seconds;
  if (missing === undefined) return `${agent} has no results of ${stage}`;
  if (missing > 0) return `${agent} misses ${counted(missing, 'second')} of ${stage}`;
  const own = rows.filter((row) => row['stage'] === stage && row['agent'] === agent);
  if (own.length === 0) return `${agent} has no seconds in ${stage}`;
  for (const operation of new Set(own.map((row) => row['operation']))) {
    const seconds = own.filter((row) => row['operation'] === operation).flatMap(secondsOf);
    const wrong = seconds.findIndex((second, index) => second !== index);
    if (wrong >= 0)
      return `${agent} ${stage} ${operation ?? ''}: second ${wrong} is missing or doubled`;
  }
  return undefined;
}

function secondsOf(row: Row): number[] {
  return Array.from({ length: Number(row['seconds']) }, (_, k) => Number(row['second']) + k);
}

/** Operations of an agent over all stages and kinds. */
export function operationsOf({ summary }: Evidence, agent: string): number {
  const stages = summary?.stages ?? [];
  return sum(
    stages.flatMap(({ agents }) =>
      Object.values(agents[agent]?.operations ?? {}).map(({ count }) => count),
    ),
  );
}

function sumOf(rows: readonly Row[], column: string, of: (agent: string) => boolean): number {
  return sum(rows.filter((row) => of(row['agent'] ?? '')).map((row) => Number(row[column])));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
