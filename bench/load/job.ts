import type { ChurnJob, Churned } from './churn.js';
import type { DialectName } from './dialect.js';

/** A room of a load. */
export interface RoomJob {
  /** Given where the room exists already and these are its members; otherwise the generator makes it and they join. */
  id?: string;
  /** Who is in it, as places in the list of tokens. */
  members: number[];
  /** How many of them send, the first. */
  senders: number;
}

/** What the generator is told. */
export interface Job {
  dialect: DialectName;
  /** The connections are spread over these. */
  urls: string[];
  /** A connection each, from before the warm-up until the end. */
  tokens: string[];
  rooms: RoomJob[];
  /** Closed: each sender sends again when it is answered. Open: so many sends a second from all of them, whatever is answered. */
  pace: { kind: 'closed' } | { kind: 'open'; perSecond: number };
  /** What others do meanwhile, who come and go. */
  churn?: ChurnJob;
  textLength: number;
  warmUpMs: number;
  lengthMs: number;
  /** How long what is missing at the end is waited for; default 20 s. */
  arrivesWithinMs?: number;
}

/**
 * What the generator answers. Rates are those of the measured time, after the warm-up; times are those of the sends of the measured
 * time, however late their acknowledgements and deliveries came.
 */
export interface Outcome {
  sendsPerSecond: number;
  deliveriesPerSecond: number;
  /** Frames that carried the deliveries, and their bytes. */
  framesPerSecond: number;
  bytesPerSecond: number;
  /** In ms; of an open pace from the moment a send was due. */
  ackP50: number;
  ackP99: number;
  deliveryP50: number;
  deliveryP99: number;
  /** Of all that was acknowledged, warm-up and end included: deliveries that did not come, and those that came again. */
  lost: number;
  doubled: number;
  /** Sends that were answered with an error, and those that were not answered at all. */
  refused: number;
  unanswered: number;
  /** Connections that the server ended; what they missed counts as lost, because nobody comes back here to catch up. */
  cut: number;
  /** How long after the last send the last delivery came, in ms. */
  behindMs: number;
  /** How busy the generator was, in processors. */
  generatorCpu: number;
  churned?: Churned;
}

export type Told = { type: 'begin' } | { type: 'end' } | { type: 'outcome'; outcome: Outcome };
