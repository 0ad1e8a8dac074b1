import type { Aggregate } from '../core/aggregate.js';

const header =
  'stage,second,seconds,agent,host_cpu,runner_cpu,busiest_thread_cpu,late_wake_ups,sampled_late_ns,runner_loop_delay_ns,runner_gc_ns,control_loop_delay_ns,control_gc_ns';

/** generators.csv in pieces of one agent's time line: how well the load was generated. Columns: docs/results.md. */
export function* generatorsCsv(aggregate: Aggregate): Generator<string> {
  yield `${header}\n`;
  for (const track of aggregate.stages) {
    for (const { agent, stage } of track.members(aggregate.agents)) {
      let text = '';
      for (const row of stage.generator.inOrder()) {
        const cells = [
          track.plan.name,
          row.first,
          row.last - row.first + 1,
          agent.plan.id,
          share(row.hostCpu),
          share(row.runnerCpu),
          share(row.busiestThreadCpu),
          row.lateWakeUps,
          row.sampledLateNs,
          row.runnerLoopDelayNs,
          row.runnerGcNs,
          row.controlLoopDelayNs,
          row.controlGcNs,
        ];
        text += `${cells.join(',')}\n`;
      }
      yield text;
    }
  }
}

function share(value: number): string {
  return value.toFixed(3);
}
