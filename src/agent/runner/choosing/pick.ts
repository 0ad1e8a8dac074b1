import type { Access } from '../../../shared/model/plan.js';
import { segment } from '../shares.js';
import { Hotspot } from './hotspot.js';
import { Permutation } from './permutation.js';
import type { Picker } from './picker.js';
import type { Random } from './random.js';
import { Sequential } from './sequential.js';
import { Shuffled } from './shuffled.js';
import { Strided } from './strided.js';
import { Uniform } from './uniform.js';
import { Zipf } from './zipf.js';

/** Who picks, among how many. */
export interface PickerOptions {
  readonly access: Access;
  readonly seed: number;
  readonly stage: number;
  /** Different kinds of operation of a stage go their own ways. */
  readonly slot: number;
  readonly agent: number;
  /** Agents that share the places. */
  readonly sharers: number;
  readonly worker: number;
  readonly workers: number;
}

interface Part {
  readonly from: number;
  readonly to: number;
}

/** Tells the hash keys of one use from those of others. */
const scatterKey = 0x5ca77e12;
const shuffleKey = 0x5b0ff1ed;

/**
 * @param places how many there are to choose from, at least 1
 * @param placeBytes size of one, for strides; undefined when places are files
 */
export function pickerFor(
  options: PickerOptions,
  random: Random,
  places: number,
  placeBytes: number | undefined,
): Picker {
  const { access, seed, stage, slot } = options;
  if (access === 'random') return new Uniform(random, places);
  if (access === 'sequential') {
    const { from, to } = ownPart(options, places);
    return new Sequential(from, to);
  }
  if (access === 'shuffled') {
    return new Shuffled(places, ownPart(options, places), [shuffleKey, seed, stage, slot]);
  }
  if ('strided' in access) return stridedFor(options, access.strided, places, placeBytes);
  // The same hot places for all stages, agents and workers.
  const scatter = new Permutation(places, [scatterKey, seed]);
  return 'zipf' in access
    ? new Zipf(random, places, access.zipf, scatter)
    : new Hotspot(random, places, access.hotspot, scatter);
}

/**
 * Without a stride the workers of all agents take turns, chunk by chunk, as the tasks of an IOR run on one file do; with
 * one, each worker walks its own part and leaves out what lies between the chunks.
 */
function stridedFor(
  options: PickerOptions,
  strided: Extract<Access, { strided: unknown }>['strided'],
  places: number,
  placeBytes: number | undefined,
): Picker {
  const { agent, sharers, worker, workers } = options;
  const { chunkBytes, strideBytes } = strided;
  const chunk =
    placeBytes === undefined ? 1 : Math.max(1, Math.floor((chunkBytes ?? 0) / placeBytes));
  if (strideBytes !== undefined && placeBytes !== undefined) {
    return new Strided(
      ownPart(options, places),
      chunk,
      Math.max(chunk, Math.floor(strideBytes / placeBytes)),
    );
  }
  // By agents first, so that it comes out even although their threads differ in number.
  const from = ((agent % sharers) + sharers * worker) * chunk;
  const part = from < places ? { from, to: places } : somewhere(worker, places);
  return new Strided(part, chunk, sharers * workers * chunk);
}

/** The worker's own part: those of all workers of all sharers cover every place once. */
export function ownPart({ agent, sharers, worker, workers }: PickerOptions, places: number): Part {
  // Files of its own (sharers 1) are all the agent's, whatever its number.
  const ofAgent = segment(places, agent % sharers, sharers);
  const part = segment(ofAgent.to - ofAgent.from, worker, workers);
  if (part.from === part.to) return somewhere(worker, places);
  return { from: ofAgent.from + part.from, to: ofAgent.from + part.to };
}

/** Fewer places than workers: better one that another has, too, than to do nothing. */
function somewhere(worker: number, places: number): Part {
  const from = worker % places;
  return { from, to: from + 1 };
}
