/** What all parts of one member stand on. */
import type { Acceptor } from './acceptor.js';
import type { MemberId } from './ballot.js';
import type { PaxosEffects } from './effects.js';
import type { Learner } from './learner.js';
import type { PaxosLimits } from './limits.js';

export interface Ground {
  readonly self: MemberId;
  readonly limits: PaxosLimits;
  readonly effects: PaxosEffects;
  readonly acceptor: Acceptor;
  readonly learner: Learner;
}
