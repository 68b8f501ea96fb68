/**
 * Which changes of the members are taken. New voters have been filled as learners first, so that a
 * change never waits for a machine that knows nothing, and a misspelt one costs no quorum.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import type { MemberId } from './ballot.js';
import { findMember, quorumSize } from './configuration.js';
import type { Configuration, Member, Membership } from './configuration.js';
import type { PaxosLimits } from './limits.js';

export interface PresentMembers {
  readonly limits: PaxosLimits;
  readonly present: Configuration;
  /** How many chosen slots a member is known to lack. */
  lag(id: MemberId): number;
}

/** Errors: `config-invalid`. */
export function checkMembership(next: Membership, members: PresentMembers): void {
  const { limits, present } = members;
  const flaw = flawOf(next, limits);
  if (flaw !== undefined) throw invalid(flaw);
  const slotsMax = limits.windowSlotsMax;
  let ready = 0;
  for (const { id, name } of next.voters) {
    if (findMember(present, id) === undefined) {
      throw invalid(`${name} is to vote and was no learner: add it as a learner first`);
    }
    const lag = members.lag(id);
    if (lag <= slotsMax) ready += 1;
    else if (present.learners.some((learner) => learner.id === id)) {
      throw invalid(`${name} lacks ${lag} slots: make it a voter when it has caught up`);
    }
  }
  if (ready < quorumSize(next)) throw invalid('most of the voters lag behind or are not there');
}

/** What makes a membership impossible, whoever asks for it. */
export function flawOf(
  { voters, learners }: Membership,
  { votersMax, learnersMax }: PaxosLimits,
): string | undefined {
  if (voters.length === 0) return 'nobody votes';
  if (voters.length > votersMax) return `${voters.length} vote, ${votersMax} may`;
  if (learners.length > learnersMax) return `${learners.length} learn, ${learnersMax} may`;
  const ids = new Set([...voters, ...learners].map(({ id }) => id));
  if (ids.size < voters.length + learners.length) return 'a member is named twice';
  if (hasTwice(voters) || hasTwice(learners)) return 'two members have the same name';
  return undefined;
}

const hasTwice = (members: readonly Member[]): boolean =>
  new Set(members.map(({ name }) => name)).size < members.length;

const invalid = (flaw: string): OxbowError =>
  new OxbowError('config-invalid', `Cannot change the members as ${flaw}.`);
