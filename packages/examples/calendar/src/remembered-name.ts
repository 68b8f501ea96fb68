/**
 * Who used this browser last. A browser that keeps nothing throws at the mere look at
 * `localStorage`: the calendar works there all the same, and asks again next time.
 */
const KEY = 'oxbow-calendar.me';

function attempt<T>(use: (store: Storage) => T): T | undefined {
  try {
    return use(localStorage);
  } catch (error) {
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}

export const rememberedName = (): string | null => attempt((store) => store.getItem(KEY)) ?? null;
export const rememberName = (name: string): void => attempt((store) => store.setItem(KEY, name));
export const forgetName = (): void => attempt((store) => store.removeItem(KEY));
