/**
 * Ties the comparison of states (space/state-check.ts) to the log, the store and the bulk links of
 * one node. A node that differs stops being the member that it is: its data are set aside and the
 * others fill it anew, as after any damage.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import type { Logger } from '../drivers/log.js';
import type { CommitLog } from '../log/commit-log.js';
import type { MemberId } from '../paxos/ballot.js';
import type { Configuration } from '../paxos/configuration.js';
import { checkLimits, type CheckLimits } from '../space/limits.js';
import { StateCheck } from '../space/state-check.js';
import {
  decodeCheckMessage, encodeCheckMessage, isCheckFrame,
} from '../space/state-check-message.js';
import { COMMAND_TAG, decodeCommand, encodeCommand, isCommand } from '../space/state-command.js';
import { isBadMessage } from '../space/state-message.js';
import type { StateStore } from '../space/state-store.js';

export interface StateChecksParts {
  readonly self: MemberId;
  readonly store: StateStore;
  readonly logger: Logger;
  /** Time that only grows, ms. */
  readonly now: () => number;
  readonly limits?: CheckLimits;
  readonly propose: CommitLog['propose'];
  send(to: MemberId, frame: Uint8Array): void;
  /** This node's state is not the others'. Errors given: `state-diverged`. */
  diverged(error: OxbowError): void;
}

export class StateChecks {
  readonly #parts: StateChecksParts;
  readonly #check: StateCheck;
  #isStopped = false;

  constructor(parts: StateChecksParts) {
    this.#parts = parts;
    const { self, limits = checkLimits, logger } = parts;
    this.#check = new StateCheck({ self, limits }, {
      propose: () => this.#propose(),
      takeDigest: (slot) => this.#takeDigest(slot),
      send: (to, message) => parts.send(to, encodeCheckMessage(message)),
      diverged: (from) => parts.diverged(diverged(from)),
      log: (level, event, fields) => logger.log(level, event, fields),
    });
  }

  get isDisputed(): boolean {
    return this.#check.isDisputed;
  }

  /** What the state is to see of a chosen slot: of a word among nodes, nothing. */
  seen(slot: number, payload: Uint8Array | undefined): Uint8Array | undefined {
    if (payload === undefined || !isCommand(payload)) return payload;
    const command = decodeCommand(payload);
    if (command?.kind === 'check-state') this.#check.chosen(slot, this.#parts.now());
    return undefined;
  }

  led(leader: MemberId | undefined): void {
    this.#check.led(leader, this.#parts.now());
  }

  configured(configuration: Configuration): void {
    this.#check.configured(configuration);
  }

  replaced(): void {
    this.#check.replaced();
  }

  /** Came on the bulk channel. False: it is none of ours. */
  frame(from: MemberId, bytes: Uint8Array): boolean {
    if (!isCheckFrame(bytes)) return false;
    try {
      this.#check.received(from, decodeCheckMessage(bytes), this.#parts.now());
    } catch (error) {
      if (!isBadMessage(error)) throw error;
      this.#parts.logger.log('warn', 'state-frame-unreadable', { from, error });
    }
    return true;
  }

  tick(): void {
    this.#check.tick(this.#parts.now());
  }

  stop(): void {
    this.#isStopped = true;
  }

  #propose(): void {
    try {
      this.#parts.propose(encodeCommand(), COMMAND_TAG);
    } catch (error) {
      // `log-full`, `not-leader`: another time will do.
      if (!(error instanceof OxbowError) || error.code === 'invariant') throw error;
    }
  }

  #takeDigest(slot: number): void {
    this.#parts.store.exportAt(slot, (picture, error) => {
      if (picture === undefined) return this.#digested(slot, undefined, error);
      picture.digest((hex, why) => {
        picture.close();
        this.#digested(slot, hex, why);
      });
    });
  }

  #digested(slot: number, hex: string | undefined, error: Error | undefined): void {
    if (this.#isStopped) return;
    const isDamage = error instanceof OxbowError && error.code === 'store-damaged';
    // A state that was past the slot, or closed meanwhile, has nothing to say.
    if (hex !== undefined || isDamage) this.#check.digested(slot, hex, this.#parts.now());
  }
}

function diverged(from: MemberId): OxbowError {
  return new OxbowError(
    'state-diverged',
    `The state of this node is not what the others have at the same slot (compared with ${from}). ` +
      'It is set aside and filled anew; look at the memory and the disk of this machine.',
  );
}
