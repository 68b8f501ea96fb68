import { expect, it } from 'vitest';
import { loadBundles, loaded, loadGuard, loadKeeperView, loadRescue, loadSessionWait } from './on-demand.js';

it('a part that cannot be fetched is an error with a code, and says why', async () => {
  const cause = new TypeError('Failed to fetch dynamically imported module');
  await expect(loaded('charts', Promise.reject(cause))).rejects.toMatchObject({
    code: 'part-unavailable', cause,
  });
});

it('the parts are there', async () => {
  expect(await loadBundles()).toHaveProperty('exportBundle');
  expect(await loadGuard()).toHaveProperty('Guard');
  expect(await loadRescue()).toHaveProperty('exportUnsynced');
  expect(await loadKeeperView()).toHaveProperty('keeperView');
  expect(await loadSessionWait()).toHaveProperty('waitForSeen');
});
