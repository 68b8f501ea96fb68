import type { Done } from '../drivers/storage.js';

/** A callback of the hosts as a promise. */
export function promised<T>(begin: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    begin((result) => {
      if (result.ok) resolve(result.value);
      else reject(result.error);
    });
  });
}
