import { describe, expect, it } from 'vitest';
import { addressOf } from './address.js';

/** As much of a browser's store as is asked for. */
function store(): () => Storage {
  const kept = new Map<string, string>();
  const made = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  return () => made as unknown as Storage;
}
const at = (query: string): URL => new URL(`https://rooms.example/calendar/${query}`);

describe('the address that counts', () => {
  it('is that of the page; by the app’s icon, the last one', () => {
    const kept = store();
    expect(addressOf(at('?app'), kept).search).toBe('?app');
    expect(addressOf(at('?space=kiln&server=ws://a/sync'), kept).search).toBe('?space=kiln&server=ws://a/sync');
    expect(addressOf(at('?app'), kept).search).toBe('?space=kiln&server=ws://a/sync');
    expect(addressOf(at('?app&space=hall'), kept).searchParams.get('space')).toBe('hall');
    expect(addressOf(at('?app'), kept).searchParams.get('space')).toBe('hall');
  });

  it('is that of the page where the browser keeps nothing', () => {
    const none = (): Storage => {
      throw new DOMException('no', 'SecurityError');
    };
    expect(addressOf(at('?app'), none).search).toBe('?app');
  });
});
