import { describe, expect, it } from 'vitest';
import { limits } from '../protocol/index.js';
import { Addresses } from './addresses.js';
import { seededRandom } from './backoff.js';

const [A, B, C] = ['ws://a/sync', 'ws://b/sync', 'ws://c/sync'];
const STRANGER = 'ws://stranger/sync';
const REFUSED = { isSilent: false, wasLive: false };
const SILENT = { isSilent: true, wasLive: false };
const LOST = { isSilent: false, wasLive: true };

/** Three nodes in the order in which they were named: chance is tested apart. */
const three = (): Addresses => new Addresses([A, B, C], () => 0);

describe('the addresses of a service', () => {
  it('begin with the first, and go on with the others in an order drawn by chance', () => {
    const urls = Array.from({ length: 8 }, (_, i) => `ws://node${i}/`);
    const orderOf = (seed: number): string[] => {
      const addresses = new Addresses(urls, seededRandom(seed));
      const order = [addresses.current ?? ''];
      while (addresses.failed(0, REFUSED)) order.push(addresses.current ?? '');
      return order;
    };
    const orders = [1, 2, 3, 4].map(orderOf);
    for (const order of orders) {
      expect(order[0]).toBe(urls[0]);
      expect([...order].sort()).toEqual([...urls].sort());
    }
    expect(new Set(orders.map(String)).size).toBe(4);
  });

  it('are each tried once at once, then there is a pause', () => {
    const addresses = three();
    expect(addresses.current).toBe(A);
    expect(addresses.failed(0, REFUSED)).toBe(true);
    expect(addresses.current).toBe(B);
    expect(addresses.failed(0, REFUSED)).toBe(true);
    expect(addresses.current).toBe(C);
    expect(addresses.failed(0, REFUSED)).toBe(false);
    addresses.rested(100);
    expect(addresses.current).toBe(A);
    expect(addresses.failed(100, REFUSED)).toBe(true);
  });

  it('pause after every failure where there is one only, or none with a name', () => {
    for (const addresses of [new Addresses([A], () => 0), new Addresses([], () => 0)]) {
      const { current } = addresses;
      expect(addresses.failed(0, REFUSED)).toBe(false);
      addresses.rested(1);
      expect(addresses.current).toBe(current);
      addresses.succeeded();
      expect(addresses.failed(2, LOST)).toBe(false);
    }
  });

  it('are remembered where a link was live: the next start is there', () => {
    const addresses = three();
    addresses.failed(0, REFUSED);
    addresses.succeeded();
    addresses.begin();
    expect(addresses.current).toBe(B);
  });

  it('go to the next when a live link is lost, and back to it when others name it', () => {
    const addresses = three();
    addresses.succeeded();
    expect(addresses.failed(0, LOST)).toBe(true);
    expect(addresses.current).toBe(B);
    expect(addresses.redirected(A, 0)).toBe(true);
    expect(addresses.current).toBe(A);
  });

  it('do not go where somebody sends them that has just failed: the third may know more', () => {
    const addresses = three();
    addresses.succeeded();
    addresses.failed(0, LOST);
    addresses.redirected(A, 0);
    expect(addresses.failed(0, REFUSED)).toBe(true);
    expect(addresses.current).toBe(C);
    expect(addresses.redirected(A, 0)).toBe(false);
    expect(addresses.failed(0, REFUSED)).toBe(false);
  });

  it('follow to an address that nobody named before, and forget it when it fails', () => {
    const addresses = three();
    expect(addresses.redirected(STRANGER, 0)).toBe(true);
    expect(addresses.current).toBe(STRANGER);
    expect(addresses.failed(0, REFUSED)).toBe(true);
    expect(addresses.current).toBe(B);
  });

  it('are not sent from one to the other for ever', () => {
    const addresses = three();
    let hops = 0;
    while (addresses.redirected(`ws://node${hops}/`, 0)) hops++;
    expect(hops).toBe(limits.redirectsMax);
    addresses.rested(100);
    expect(addresses.redirected(STRANGER, 100)).toBe(true);
  });

  it('never take a token from an encrypted link to one that is not', () => {
    const secret = new Addresses(['wss://a/sync'], () => 0);
    expect(secret.redirected('ws://a/sync', 0)).toBe(false);
    expect(secret.redirected('http://b/sync', 0)).toBe(false);
    expect(secret.redirected('WS://b/sync', 0)).toBe(false);
    expect(secret.redirected('https://b/sync', 0)).toBe(true);
    expect(secret.redirected('ws://c/sync', 0)).toBe(false);
    expect(new Addresses(['/sync'], () => 0).redirected('ws://b/sync', 0)).toBe(false);
    expect(new Addresses(['ws://a/sync'], () => 0).redirected('wss://b/sync', 0)).toBe(true);
  });

  it('stay when they are sent to where they are, or to what is no address', () => {
    const addresses = three();
    for (const to of [A ?? '', 'javascript:alert(1)', 'ws://user@b/', '']) {
      expect(addresses.redirected(to, 0)).toBe(false);
    }
    expect(new Addresses([], () => 0).redirected(STRANGER, 0)).toBe(false);
  });

  it('pass over for a while what gave no answer, as long as there are others', () => {
    const addresses = three();
    expect(addresses.failed(0, SILENT)).toBe(true);
    addresses.failed(0, REFUSED);
    expect(addresses.failed(0, REFUSED)).toBe(false);
    addresses.rested(100);
    expect(addresses.current).toBe(B);
    expect(addresses.redirected(A, 100)).toBe(false);
    addresses.failed(100, REFUSED);
    expect(addresses.current).toBe(C);
    expect(addresses.failed(100, REFUSED)).toBe(false);
    addresses.rested(limits.silentAddressMs);
    expect(addresses.current).toBe(A);
  });

  it('are tried all the same when all of them are silent', () => {
    const addresses = three();
    while (addresses.failed(0, SILENT));
    addresses.rested(1);
    expect(addresses.current).toBe(A);
  });

  it('get little time where there are others, and more with each round that fails', () => {
    const addresses = three();
    const times: number[] = [];
    for (let round = 0; round < 6; round++) {
      times.push(addresses.attemptMs);
      while (addresses.failed(0, REFUSED));
      addresses.rested(0);
    }
    expect(times).toEqual([2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    addresses.succeeded();
    expect(addresses.attemptMs).toBe(limits.connectNextMs);
    expect(new Addresses([A ?? ''], () => 0).attemptMs).toBe(limits.connectTimeoutMs);
  });
});
