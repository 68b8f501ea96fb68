import { describe, expect, it } from 'vitest';
import { LinkFlow, limits } from './index.js';

describe('the flow on a link', () => {
  it('leaves room until the window is used up, and again after an ack', () => {
    const flow = new LinkFlow();
    expect(flow.roomChars).toBe(limits.windowChars);
    flow.onSent(limits.windowChars - 10, 0);
    expect(flow.roomChars).toBe(10);
    flow.onSent(50, 0);
    expect(flow.roomChars).toBe(0);
    flow.onAck({ kind: 'ack', received: 100 }, 1);
    expect(flow.roomChars).toBe(60);
  });

  it('acknowledges every so many chars, and what is left over after a while', () => {
    const flow = new LinkFlow();
    expect(flow.onReceived(10, 0)).toBeUndefined();
    expect(flow.onReceived(limits.ackEveryChars, 5))
      .toEqual({ kind: 'ack', received: limits.ackEveryChars + 10 });
    expect(flow.wakeAtMs).toBeUndefined();
    expect(flow.onReceived(3, 1000)).toBeUndefined();
    expect(flow.wakeAtMs).toBe(1000 + limits.ackDelayMs);
    expect(flow.dueAck(1000 + limits.ackDelayMs - 1)).toBeUndefined();
    expect(flow.dueAck(1000 + limits.ackDelayMs))
      .toEqual({ kind: 'ack', received: limits.ackEveryChars + 13 });
    expect(flow.dueAck(99_999_999)).toBeUndefined();
  });

  it('is stalled when what is under way makes no progress, never while nothing is', () => {
    const flow = new LinkFlow();
    expect(flow.stalledSince(10 * limits.stallMs)).toBeUndefined();
    flow.onSent(100, 1000);
    flow.onSent(100, 2000);
    expect(flow.wakeAtMs).toBe(1000 + limits.stallMs);
    expect(flow.stalledSince(1000 + limits.stallMs - 1)).toBeUndefined();
    expect(flow.stalledSince(1000 + limits.stallMs)).toBe(1000);
    flow.onAck({ kind: 'ack', received: 150 }, 5000);
    expect(flow.stalledSince(5000 + limits.stallMs - 1)).toBeUndefined();
    flow.onAck({ kind: 'ack', received: 150 }, 9000);
    expect(flow.stalledSince(5000 + limits.stallMs)).toBe(5000);
  });

  it('takes no more as arrived than was sent, and no ack as going back', () => {
    const flow = new LinkFlow();
    flow.onSent(100, 0);
    flow.onAck({ kind: 'ack', received: Number.MAX_SAFE_INTEGER }, 1);
    expect(flow.inFlightChars).toBe(0);
    flow.onSent(100, 2);
    flow.onAck({ kind: 'ack', received: 5 }, 3);
    expect(flow.inFlightChars).toBe(100);
  });
});
