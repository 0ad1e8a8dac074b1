import { z } from 'zod';
import { day, duration, hour, minute, second } from './fields.js';

const timeout = (min: number, max: number, fallback: string, description: string) =>
  duration({ min, max }).prefault(fallback).meta({ description });

/** The deadlines of the protocol (2-protocol §5–§7), under their names there. */
export const timeoutsField = z
  .strictObject(
    {
      connect: timeout(
        100,
        10 * minute,
        '5s',
        'To reach an agent (name, TCP, TLS); all agents at once',
      ),
      hello: timeout(100, 10 * minute, '10s', 'For the answer of an agent that was reached'),
      prepare_silence: timeout(
        second,
        hour,
        '30s',
        'Without any message while preparing, an agent has crashed',
      ),
      prepare_io_stall: timeout(
        second,
        day,
        '10m',
        'Without a new byte while preparing, the storage has stalled',
      ),
      ping_after: timeout(
        2 * second,
        hour,
        '60s',
        'Without statistics in a stage, an agent is sent a PING',
      ),
      hung_after: timeout(
        second,
        hour,
        '60s',
        'After the PING without an answer, an agent is marked as hung',
      ),
      collect: timeout(
        second,
        hour,
        '10s',
        'After the planned end of a stage, for the last results of a silent agent; after its totals, for each part of its time line that is still on the way',
      ),
      drain: timeout(
        second,
        hour,
        '30s',
        'For operations in flight at the end of a stage; after it they are abandoned',
      ),
      abort: timeout(500, hour, '5s', 'For the agents to stop and report when the run is aborted'),
      cleanup: timeout(second, day, '60s', 'For the removal of the dataset'),
      reconnect_window: timeout(
        0,
        hour,
        '30s',
        'To get a lost connection back; 0 gives up at once',
      ),
      lease: timeout(
        second,
        day,
        '150s',
        'Silence of the controller after which an agent stops its load by itself',
      ),
      operation: z
        .union([
          z.literal('off').transform(() => undefined),
          // A mapping of its own, so that the bounds stand beside the check.
          duration({ min: 1, max: day }),
        ])
        .prefault('off')
        .meta({
          description:
            'An operation that took longer counts as an error TIMEOUT instead of as done. Nothing interrupts it: until it comes back, its thread waits',
          unit: 'duration or off',
          bounds: '1ms … 1d, off',
        }),
    },
    { error: 'must be a mapping of names to durations' },
  )
  .prefault({});
