/**
 * Which of several addresses of one service to connect to next. A service that one machine leads
 * moves: the address that was right a moment ago refuses, names another, or is silent. To wait
 * after each failure would make every failover as slow as the pauses; not to wait at all would
 * drown a service that is down. So addresses are tried in rounds: each once, at once, one after the
 * other; a pause follows when all of them have failed. What a refusal names as the right place goes
 * first, a bounded number of times a round. Who was silent costs the most time and is passed over
 * for a while.
 */
import { isLinkUrl } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';

export class Addresses {
  /** Tried in this order, round and round. */
  readonly #ring: readonly string[];
  #at = 0;
  /** Named by a refusal, and none of ours. */
  #detour: string | undefined;
  /** Refused, or could not be reached, since the last pause. */
  readonly #tried = new Set<string>();
  #redirects = 0;
  /** Rounds that have failed since a link was live. */
  #rounds = 0;
  readonly #silentUntilMs = new Map<string, number>();

  /** `urls`: as the app named them; none for a transport that has one way only. */
  constructor(urls: readonly string[], random: () => number) {
    const [first, ...others] = new Set(urls);
    this.#ring = first === undefined ? [] : [first, ...shuffled(others, random)];
  }

  /** There is another one to go to. */
  get isSeveral(): boolean {
    return this.#ring.length > 1;
  }

  /** Where to connect now; undefined: the transport's one way. */
  get current(): string | undefined {
    return this.#detour ?? this.#ring[this.#at];
  }

  /**
   * How long an attempt may take, ms. A machine that lost its power answers nothing at all: with
   * others to try it gets little time, and more in every round, as a slow network looks the same.
   */
  get attemptMs(): number {
    if (!this.isSeveral) return limits.connectTimeoutMs;
    const grownMs = limits.connectNextMs * 2 ** Math.min(this.#rounds, 10);
    return Math.min(limits.connectTimeoutMs, grownMs);
  }

  /** A link is live at `current`: begin there next time. */
  succeeded(): void {
    this.#rounds = 0;
    this.begin();
    if (this.current !== undefined) this.#silentUntilMs.delete(this.current);
  }

  /**
   * The attempt at `current` failed, or the link that was live there is lost. True: `current` is
   * another one, try it at once; false: pause, then `rested`.
   */
  failed(now: number, how: { readonly isSilent: boolean; readonly wasLive: boolean }): boolean {
    const { current } = this;
    this.#detour = undefined;
    if (current !== undefined) {
      // What was live may be so again: when others name it, it is gone back to.
      if (!how.wasLive) this.#tried.add(current);
      if (how.isSilent && this.#ring.includes(current)) {
        this.#silentUntilMs.set(current, now + limits.silentAddressMs);
      }
    }
    if (this.isSeveral && this.#moveOn(now)) return true;
    this.#rounds++;
    return false;
  }

  /**
   * `current` refused and named another. False: that one is not to be gone to; treat it as a
   * failure.
   */
  redirected(to: string, now: number): boolean {
    const { current } = this;
    if (current === undefined || !isLinkUrl(to) || isLessSecret(to, current)) return false;
    if (to === current || this.#tried.has(to) || this.#isSilent(to, now)) return false;
    if (this.#redirects >= limits.redirectsMax) return false;
    this.#redirects++;
    this.#tried.add(current);
    const known = this.#ring.indexOf(to);
    this.#detour = known < 0 ? to : undefined;
    if (known >= 0) this.#at = known;
    return true;
  }

  /** A round begins where the last one ended well: at the start, or because somebody hurries. */
  begin(): void {
    this.#tried.clear();
    this.#redirects = 0;
  }

  /** A round begins after a pause: with another one than that which failed last. */
  rested(now: number): void {
    this.begin();
    if (this.isSeveral && !this.#moveOn(now)) this.#at = (this.#at + 1) % this.#ring.length;
  }

  #moveOn(now: number): boolean {
    const { length } = this.#ring;
    for (let step = 1; step <= length; step++) {
      const at = (this.#at + step) % length;
      const url = this.#ring[at];
      if (url === undefined || this.#tried.has(url) || this.#isSilent(url, now)) continue;
      this.#at = at;
      return true;
    }
    return false;
  }

  #isSilent(url: string, now: number): boolean {
    return now < (this.#silentUntilMs.get(url) ?? 0);
  }
}

/** What is not plainly open counts as secret: a page's own address has the page's scheme. */
const isSecret = (url: string): boolean => !/^(?:ws|http):/i.test(url);

/** A token that was given to an encrypted link never goes over one that is not. */
const isLessSecret = (to: string, from: string): boolean => isSecret(from) && !isSecret(to);

function shuffled(urls: readonly string[], random: () => number): string[] {
  const left = [...urls];
  const drawn: string[] = [];
  while (left.length > 0) drawn.push(...left.splice(Math.floor(random() * left.length), 1));
  return drawn;
}
