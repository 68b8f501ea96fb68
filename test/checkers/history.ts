/**
 * What clients asked and were told, in the order in which it happened. A history keeps positions
 * and not times: two clocks may disagree, and of two events at one millisecond one came first.
 * Herlihy and Wing, "Linearizability: a correctness condition for concurrent objects", 1990, §2.
 */

export interface Operation<Input, Output> {
  readonly client: string;
  readonly input: Input;
  /**
   * Undefined: the client never learnt what came of it. It may have taken effect at any time
   * after it was asked, for ever, or never.
   */
  readonly output: Output | undefined;
  /** Position of the question among all events of the history. */
  readonly askedAt: number;
  /** Position of the answer; Infinity: there was none. */
  readonly answeredAt: number;
}

/**
 * One question that is open. Exactly one of its ends may be called, once; none: the outcome is
 * unknown.
 */
export interface OpenOperation<Output> {
  answered(output: Output): void;
  /** It surely never took effect and never will: it is no part of the history. */
  refused(): void;
}

interface Noted<Input, Output> {
  readonly client: string;
  readonly input: Input;
  readonly askedAt: number;
  answeredAt: number;
  output: Output | undefined;
  isRefused: boolean;
}

export class History<Input, Output> {
  readonly #noted: Noted<Input, Output>[] = [];
  #events = 0;

  asked(client: string, input: Input): OpenOperation<Output> {
    const noted: Noted<Input, Output> = {
      client, input, askedAt: this.#events++, answeredAt: Infinity,
      output: undefined, isRefused: false,
    };
    this.#noted.push(noted);
    const mustBeOpen = (): void => {
      if (noted.isRefused || noted.answeredAt !== Infinity) {
        throw new Error(`${client}: answered twice`);
      }
    };
    return {
      answered: (output) => {
        mustBeOpen();
        noted.answeredAt = this.#events++;
        noted.output = output;
      },
      refused: () => {
        mustBeOpen();
        noted.isRefused = true;
      },
    };
  }

  /** As of now: what is open counts as unknown. */
  operations(): readonly Operation<Input, Output>[] {
    return this.#noted.filter(({ isRefused }) => !isRefused).map(
      ({ client, input, askedAt, answeredAt, output }) =>
        ({ client, input, askedAt, answeredAt, output }),
    );
  }
}
