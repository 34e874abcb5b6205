import type { DialectName } from './dialect.js';

/** What the generator is told. */
export interface Job {
  dialect: DialectName;
  /** The members of each room are spread over these. */
  urls: string[];
  /** A user each; as many as there are members in all rooms together. */
  tokens: string[];
  rooms: number;
  /** Of each room. */
  members: number;
  /** Of each room, those that send. */
  senders: number;
  /** Closed: each sender sends again when it is answered. Open: so many sends a second from all of them, whatever is answered. */
  pace: { kind: 'closed' } | { kind: 'open'; perSecond: number };
  textLength: number;
  warmUpMs: number;
  lengthMs: number;
}

/** What the generator answers. Rates and times are those of the measured time, after the warm-up. */
export interface Outcome {
  sendsPerSecond: number;
  deliveriesPerSecond: number;
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
  /** How long after the last send the last delivery came, in ms. */
  behindMs: number;
  /** How busy the generator was, in processors. */
  generatorCpu: number;
}

export type Told = { type: 'begin' } | { type: 'end' } | { type: 'outcome'; outcome: Outcome };
