import { describe, expect, it } from 'vitest';
import { negotiateVersion } from './index.js';

describe('version negotiation', () => {
  it('meets in the newest that both speak, whoever is older', () => {
    expect(negotiateVersion([1, 3], [2, 5])).toBe(3);
    expect(negotiateVersion([2, 5], [1, 3])).toBe(3);
    expect(negotiateVersion([2, 2], [1, 9])).toBe(2);
  });

  it('says which side is to be updated when there is none', () => {
    expect(() => negotiateVersion([1, 1], [2, 3])).toThrow('Update the other side');
    expect(() => negotiateVersion([4, 5], [2, 3])).toThrow('Update this side');
    expect(() => negotiateVersion([4, 5], [2, 3]))
      .toThrow(expect.objectContaining({ code: 'protocol-version' }));
  });
});
