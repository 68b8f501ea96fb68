/** Every bound and period of a group in one place, related by assertions. */
import { invariant } from '@oxbow/sdk/protocol';

export interface PaxosLimits {
  /** How often `tick` must come, ms. */
  readonly tickMs: number;
  readonly heartbeatMs: number;
  /** A follower that heard the leader within this time promises nobody else anything. */
  readonly leaseMs: number;
  /** Whether reads may go by the lease: only where clocks drift apart by less than `driftPpm`. */
  readonly leaseReads: boolean;
  readonly driftPpm: number;
  /** Silence of a leader whose link stands: between this and twice this, at random. */
  readonly electionMs: number;
  /** The same once its link is cut. At least the lease. */
  readonly electionCutMs: number;
  /** A leader without a quorum's answers for so long steps down. */
  readonly quorumLostMs: number;
  /** Slots proposed and not chosen; beyond either, `propose` throws `log-full`. */
  readonly windowSlotsMax: number;
  readonly windowBytesMax: number;
  readonly payloadBytesMax: number;
  /** Sent to one member and not answered. */
  readonly inFlightBytesMax: number;
  readonly inFlightMessagesMax: number;
  /** Values in one message. */
  readonly messageBytesMax: number;
  /** What a message of several values aims at, so that a heartbeat never waits long behind it. */
  readonly partBytesMax: number;
  /** A member takes nothing further than this beyond what it knows as chosen. */
  readonly aheadSlotsMax: number;
  /** Chosen or accepted, and not in the state: beyond it a member takes nothing more. */
  readonly unappliedBytesMax: number;
  /** Without an answer for so long, a message is sent again. */
  readonly resendMs: number;
  /** Chosen values kept in memory for members that lag, beyond what the state store needs. */
  readonly keptBytesMax: number;
  readonly keptSlotsMax: number;
  /** The same where no other member could ask: enough to say where an exported state stands. */
  readonly keptAloneBytesMax: number;
  /** The same while others are on their way to ask for them; beyond it they come in vain. */
  readonly heldBytesMax: number;
  /** Whoever asked for chosen values, or is given a state, asks on within this time, ms. */
  readonly holdMs: number;
  readonly readsMax: number;
  readonly votersMax: number;
  readonly learnersMax: number;
}

const MI = 1024 * 1024;

export const paxosLimits: PaxosLimits = {
  tickMs: 10,
  heartbeatMs: 50,
  leaseMs: 250,
  leaseReads: true,
  driftPpm: 1_000,
  electionMs: 1_000,
  electionCutMs: 250,
  quorumLostMs: 1_000,
  windowSlotsMax: 1_024,
  windowBytesMax: 64 * MI,
  payloadBytesMax: 12 * MI,
  inFlightBytesMax: 16 * MI,
  inFlightMessagesMax: 256,
  messageBytesMax: 13 * MI,
  partBytesMax: MI,
  aheadSlotsMax: 8_192,
  unappliedBytesMax: 256 * MI,
  resendMs: 500,
  keptBytesMax: 64 * MI,
  keptSlotsMax: 100_000,
  keptAloneBytesMax: 4 * MI,
  heldBytesMax: 512 * MI,
  holdMs: 5_000,
  readsMax: 50_000,
  votersMax: 7,
  learnersMax: 7,
};

/** Throws `invariant` when bounds contradict each other. */
export function checkPaxosLimits(limits: PaxosLimits): void {
  invariant(limits.tickMs <= limits.heartbeatMs, 'heartbeats are due at ticks');
  invariant(limits.heartbeatMs * 3 <= limits.leaseMs, 'a lease survives two lost heartbeats');
  invariant(limits.electionCutMs >= limits.leaseMs, 'nobody stands before promises are free');
  invariant(limits.electionMs >= limits.electionCutMs, 'a standing link earns patience');
  invariant(limits.quorumLostMs >= limits.leaseMs, 'a leader outlasts its lease');
  invariant(limits.windowBytesMax >= limits.payloadBytesMax, 'the largest payload fits');
  invariant(limits.messageBytesMax > limits.payloadBytesMax, 'a message carries any value');
  invariant(limits.inFlightBytesMax >= limits.messageBytesMax, 'any message can be sent');
  invariant(limits.partBytesMax <= limits.messageBytesMax, 'a part is a message');
  invariant(limits.aheadSlotsMax >= 2 * limits.windowSlotsMax, 'a window fits before it is known as chosen');
  invariant(limits.unappliedBytesMax >= limits.windowBytesMax, 'a window fits before it is applied');
  invariant(limits.heldBytesMax >= limits.keptBytesMax, 'what is held is kept');
  invariant(limits.holdMs > limits.resendMs, 'a question that was lost is asked again in time');
  invariant(limits.driftPpm < 100_000, 'clocks run');
}

checkPaxosLimits(paxosLimits);
