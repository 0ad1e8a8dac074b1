import { z } from 'zod';
import { fioOptions, fioProblem } from '../fio-options.js';
import { suggestion } from './suggest.js';

const value = z.union([z.string(), z.number(), z.boolean()], {
  error: 'must be text, a number, true or false',
});

/** Job options of fio, all as text: true is 1, as fio has it. */
export const fioField = z
  .record(z.string(), value, { error: 'must be a mapping of fio job options' })
  .transform((options) =>
    Object.fromEntries(
      Object.entries(options).map(([name, given]) => [
        name,
        typeof given === 'boolean' ? String(Number(given)) : String(given),
      ]),
    ),
  )
  .superRefine((options, context) => {
    for (const [name, text] of Object.entries(options)) {
      const problem = fioProblem(name, text);
      if (problem === undefined) continue;
      const near = fioOptions.includes(name) ? '' : suggestion(name, fioOptions);
      const hint = near.startsWith('did you mean') ? `; ${near}` : '';
      context.addIssue({ code: 'custom', path: [name], message: `${problem}${hint}` });
    }
  });
