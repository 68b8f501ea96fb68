/** Whether the window is as narrow as a telephone: the calendar then shows less at a time. */
import { useSyncExternalStore } from 'react';

const query = matchMedia('(max-width: 760px)');

function subscribe(fn: () => void): () => void {
  query.addEventListener('change', fn);
  return () => query.removeEventListener('change', fn);
}

export const useNarrow = (): boolean => useSyncExternalStore(subscribe, () => query.matches);
