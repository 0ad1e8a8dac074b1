/** Begins the reason of an end that was written where a journal broke off. It is not the run's own end. */
export const journalCut = 'the journal ends before the run did';
