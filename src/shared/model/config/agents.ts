import { z } from 'zod';
import { label, threads } from './fields.js';

const address = z
  .string({ error: 'must be an address such as node1:7761 or node[01-16]:7761' })
  .min(1, { error: 'must not be empty' });

export const targetField = () =>
  z
    .string({ error: 'must be a path or URI' })
    .min(1, { error: 'must not be empty' })
    .max(4096, { error: 'must be at most 4096 characters' });

const agentObject = z.strictObject({
  address: address.meta({
    description:
      'Where the agent listens; a range such as `node[01-16]:7761` stands for several agents',
    unit: 'address',
  }),
  id: label().optional().meta({
    description: 'Its name on the screen, in errors and in the results; not with a range',
    fallback: '`agent-1`, `agent-2` … in the order of the list',
  }),
  target: targetField().optional().meta({
    description: 'Its own target instead of the common one',
    unit: 'path or URI',
    fallback: 'the common `target`',
  }),
  threads: threads().optional().meta({
    description: "Its own number of threads, instead of every stage's `threads`",
    fallback: "the stage's `threads`",
  }),
  labels: z
    .record(label(), z.string({ error: 'must be text; put numbers in quotes' }).max(256), {
      error: 'must be a mapping such as { rack: b }',
    })
    .prefault({})
    .meta({
      description: 'Words of your own about this agent, copied into the results',
      unit: 'mapping',
    }),
});

export const agentsField = z
  .array(z.union([address, agentObject], { error: 'must be an address or a mapping with one' }), {
    error: 'must be a list of agents such as [node1:7761, node2:7761]',
  })
  .min(1, { error: 'is empty; leave it out for one embedded agent' })
  .max(10_000, { error: 'has more than 10000 entries' });
