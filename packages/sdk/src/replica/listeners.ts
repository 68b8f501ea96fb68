/** Functions to be called back. One that throws must not keep the others from being called. */
import { OxbowError } from '../protocol/index.js';

export type Report = (error: OxbowError) => void;

export interface Listeners {
  readonly count: number;
  /**
   * Returns the way to stop it; calling that twice does no harm. The same function may be added
   * twice.
   */
  add(fn: () => void): () => void;
  /**
   * Those added meanwhile are not called, those stopped meanwhile neither. Reports
   * `listener-failed`.
   */
  call(report: Report): void;
}

export function newListeners(): Listeners {
  const added = new Set<{ readonly fn: () => void }>();
  return {
    get count() {
      return added.size;
    },
    add(fn) {
      const one = { fn };
      added.add(one);
      return () => { added.delete(one); };
    },
    call(report) {
      for (const one of [...added]) if (added.has(one)) callOne(one.fn, report);
    },
  };
}

function callOne(fn: () => void, report: Report): void {
  try {
    fn();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    report(new OxbowError('listener-failed', `A subscriber threw: ${message}. Mend it.`, { cause }));
  }
}
