/**
 * The config file, strict: a key is here only when its feature works. Meaning, unit, default and bounds of every key
 * are metadata of its field; docs/config.md and the JSON Schema are made from them.
 */
import { z } from 'zod';
import { parseExpectation } from '../expectation.js';
import { agentsField, targetField } from './agents.js';
import { datasetField } from './dataset.js';
import { choice, count, duration, label, minute } from './fields.js';
import { stagesField } from './stages.js';
import { timeoutsField } from './timeouts.js';
import { tlsField } from './tls.js';

const expectation = z.string({ error: 'must be text' }).transform((text, context) => {
  const parsed = parseExpectation(text);
  if (!('problem' in parsed)) return parsed;
  context.addIssue({ code: 'custom', message: parsed.problem });
  return z.NEVER;
});

const failurePolicy = z
  .string({ error: 'must be majority, all, any, or a percentage such as 80%' })
  .regex(/^(?:majority|all|any|(?:100|[1-9]\d?)%)$/, {
    error: 'must be majority, all, any, or a percentage from 1% to 100%',
  });

const formats = ['json', 'csv', 'hlog', 'html'] as const;

export const configSchema = z.strictObject(
  {
    name: label().optional().meta({
      description: 'Name of the run; part of the name of the results folder',
      fallback: "the config file's name",
    }),
    agents: agentsField.optional().meta({
      description:
        'Who generates the load: addresses, or mappings with an address and settings of their own',
      unit: 'list',
      bounds: '1 … 10000 entries',
      fallback: 'one agent that the controller starts',
    }),
    target: targetField().optional().meta({
      description:
        'Where the load goes: an absolute path, `file:///path`, or `"null:"` (no I/O at all). `{agent}` and `{index}` become the id and number of the agent. Needed unless every agent has its own',
      unit: 'path or URI',
      fallback: 'none',
    }),
    namespace: choice(['private', 'shared']).prefault('private').meta({
      description: 'Whether each agent has files of its own, or all agents see the same ones',
      unit: 'word',
      bounds: 'private, shared',
    }),
    seed: count({ min: 0, max: 2 ** 32 - 1 })
      .optional()
      .meta({
        description:
          'The same seed and plan give the same sequence of operations; a dataset made with one seed is another dataset than one made with another',
        fallback: 'random, recorded in the results',
      }),
    dataset: datasetField,
    stages: stagesField,
    expect: z
      .array(expectation, { error: 'must be a list of thresholds' })
      .max(1000, { error: 'has more than 1000 entries' })
      .prefault([])
      .meta({
        description:
          'Thresholds such as `rand-read.read.response.p99 < 5ms` or `rand-read.errors == 0`; exit code 1 when one is not met: see results.md',
        unit: 'list',
        bounds: 'at most 1000 entries',
      }),
    failure_policy: failurePolicy.prefault('majority').meta({
      description:
        'How many agents must live for the run to go on: more than half, all, one, or a share',
      unit: 'word or percentage',
      bounds: 'majority, all, any, 1% … 100%',
    }),
    timeouts: timeoutsField,
    limits: z
      .strictObject(
        {
          concurrency: count({ min: 1, max: 65_536 })
            .prefault(1024)
            .meta({ description: 'Most operations in flight that a plan may ask of one agent' }),
        },
        { error: 'must be a mapping' },
      )
      .prefault({}),
    max_start_spread: duration({ min: 1, max: minute }).prefault('10ms').meta({
      description: 'Above this difference between the starts of the agents, the summary warns',
    }),
    results: z
      .strictObject(
        {
          folder: z
            .string({ error: 'must be a path' })
            .min(1, { error: 'must not be empty' })
            .prefault('results')
            .meta({ description: 'Folder that gets one folder per run', unit: 'path' }),
          formats: z
            .array(choice(formats), { error: `must be a list of ${formats.join(', ')}` })
            .refine((list) => new Set(list).size === list.length, { error: 'names a format twice' })
            .prefault([...formats])
            .meta({
              description:
                'Files besides run.json, the journal and the log: summary.json; intervals.csv and generators.csv; histograms.hlog; report.html',
              unit: 'list',
              bounds: formats.join(', '),
            }),
        },
        { error: 'must be a mapping' },
      )
      .prefault({}),
    tls: tlsField,
  },
  { error: 'the config must be a mapping of keys to values' },
);

export type Config = z.output<typeof configSchema>;
