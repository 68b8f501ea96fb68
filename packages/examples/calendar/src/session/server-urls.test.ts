import { describe, expect, it } from 'vitest';
import { serverUrls } from './server-urls.js';

const [A, B] = ['ws://a:8787/sync', 'ws://b:8787/sync'];
const of = (query: string, named?: string) =>
  serverUrls(new URL(`http://host.example:5173/${query}`), named);

describe('where the page syncs', () => {
  it('is what its address says: one server, several, or a list', () => {
    expect(of(`?server=${A}`)).toEqual([A]);
    expect(of(`?server=${A}&server=${B}`)).toEqual([A, B]);
    expect(of(`?server=${A},%20${B},`, 'ws://other/sync')).toEqual([A, B]);
  });

  it('is else what the server of the page names', () => {
    expect(of('', `${A}, ${B}`)).toEqual([A, B]);
    expect(of('?server=', A)).toEqual([A]);
  });

  it('is else the usual port of the same host', () => {
    expect(of('')).toEqual(['ws://host.example:8787/sync']);
    expect(serverUrls(new URL('https://host.example/'), ' ')).toEqual([
      'wss://host.example:8787/sync',
    ]);
  });
});
