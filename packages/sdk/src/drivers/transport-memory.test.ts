import { describe, expect, it } from 'vitest';
import type { Link, LinkEvents } from './transport.js';
import { memoryTransport } from './transport-memory.js';

/** Turns that run when the test says so. */
function turns() {
  const tasks: (() => void)[] = [];
  return {
    soon: (task: () => void) => { tasks.push(task); },
    run: () => { for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) task(); },
  };
}

function recorder(name: string, told: string[], onOpened?: (link: Link) => void): LinkEvents {
  return {
    opened: (link) => { told.push(`${name} opened`); onOpened?.(link); },
    received: (frame) => told.push(`${name} got ${frame}`),
    closed: (reason) => told.push(`${name} closed: ${reason}`),
  };
}

describe('a link in memory', () => {
  it('carries frames both ways, in order, and never in the turn of the sender', () => {
    const clock = turns();
    const told: string[] = [];
    const transport = memoryTransport({
      clock,
      accept: (link) => { link.send('hello'); link.send('again'); return recorder('far', told); },
    });
    transport.connect(recorder('near', told, (link) => link.send('hi')));
    expect(told).toEqual([]);
    clock.run();
    expect(told).toEqual(['near opened', 'near got hello', 'near got again', 'far got hi']);
  });

  it('tells both ends of its end, once', () => {
    const clock = turns();
    const told: string[] = [];
    let far: Link | undefined;
    let near: Link | undefined;
    const transport = memoryTransport({ clock, accept: (link) => { far = link; return recorder('far', told); } });
    transport.connect(recorder('near', told, (link) => { near = link; }));
    clock.run();
    far?.close();
    near?.close();
    near?.send('lost');
    clock.run();
    expect(told).toEqual(['near opened', 'near closed: closed by the other side', 'far closed: closed']);
  });

  it('is refused where nobody listens, and forgets an attempt that was abandoned', () => {
    const clock = turns();
    const told: string[] = [];
    memoryTransport({ clock, accept: () => undefined }).connect(recorder('near', told));
    clock.run();
    expect(told).toEqual(['near closed: refused']);
    const abandon = memoryTransport({ clock, accept: () => recorder('far', told) })
      .connect(recorder('gone', told));
    abandon();
    clock.run();
    expect(told).toEqual(['near closed: refused']);
  });

  it('has the token that it was given', () => {
    const clock = turns();
    const tokens: (string | undefined)[] = [];
    memoryTransport({ clock, accept: () => undefined, token: 't' }).token?.((token) => tokens.push(token));
    expect(tokens).toEqual([]);
    clock.run();
    expect(tokens).toEqual(['t']);
  });
});
