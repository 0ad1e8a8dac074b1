/** Of frames of one kind. */
export interface KindTraffic {
  readonly kind: string;
  readonly messages: number;
  /** Envelope included. */
  readonly bytes: number;
}

/** What an agent counted on its side of the link. */
export interface LinkReport {
  readonly sent: readonly KindTraffic[];
  readonly received: readonly KindTraffic[];
  /** `bytes` is 0. */
  readonly dropped: readonly KindTraffic[];
  readonly streams: number;
  readonly invalid: number;
  readonly unknownKinds: number;
  readonly gaps: number;
  readonly naksSent: number;
  readonly naksReceived: number;
  readonly resent: number;
  readonly duplicates: number;
  readonly outOfOrder: number;
  readonly stale: number;
  readonly retries: number;
  readonly backlogs: number;
  readonly intervalsMerged: number;
  readonly intervalsDropped: number;
  readonly payloadBytes: number;
  readonly packedBytes: number;
  /** Stats, from when they could be sent until they were acknowledged. */
  readonly latencySamples: number;
  readonly latencyMeanMs: number;
  readonly latencyMaxMs: number;
  /** Times that the spool was flushed to the disk, and bytes written to it. */
  readonly checkpoints: number;
  readonly checkpointBytes: number;
}

export type SpoolMetrics = Pick<LinkReport, 'checkpoints' | 'checkpointBytes'>;
