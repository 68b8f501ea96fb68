import { describe, expect, test } from 'vitest';
import { parseClusterFile } from './cluster-file.js';
import { decodeClusterMessage, encodeClusterMessage, type ClusterMessage } from './cluster-message.js';
import { mustListed, parseNodeList } from './node-list.js';
import { isMemberId, makeMemberId, nameOfMember } from './node-name.js';

describe('a list of nodes', () => {
  test('is sorted by name, whatever the order in which it is given', () => {
    const list = parseNodeList('b=10.0.0.2:8701, a=host.example:8701,c=[::1]:8703');
    expect([...list].map(([name, { peerAddress }]) => `${name}=${peerAddress}`))
      .toEqual(['a=host.example:8701', 'b=10.0.0.2:8701', 'c=[::1]:8703']);
  });

  const flaws: [text: string, why: RegExp][] = [
    ['a', /'a' is not name=host:port/],
    ['a=h:1,', /'' is not name=host:port/],
    ['a=h:1=2', /not name=host:port/],
    ['A=h:1', /'A' is no name/],
    ['-a=h:1', /no name/],
    [`${'a'.repeat(33)}=h:1`, /no name/],
    ['a=h:1,a=h:2', /'a' stands there twice/],
    ['a=h:1,b=h:1', /'a' and 'b' have the same address/],
    ['a=h', /'h', the address of 'a', is not host:port/],
    ['a=h:0', /not host:port/],
    ['a=h:70000', /not host:port/],
    ['a=::1:80', /not host:port/],
    [Array.from({ length: 15 }, (_, i) => `n${i}=h:${i + 1}`).join(','), /names 15 nodes, more than 14/],
  ];
  for (const [text, why] of flaws) {
    test(`is refused: ${text.slice(0, 40)}`, () => {
      expect(() => parseNodeList(text)).toThrow(expect.objectContaining({ code: 'config-invalid' }));
      expect(() => parseNodeList(text)).toThrow(why);
    });
  }

  test('must have the node itself, and says whom it has instead', () => {
    const list = parseNodeList('a=h:1,b=h:2');
    expect(mustListed(list, 'b').peerAddress).toBe('h:2');
    expect(() => mustListed(list, 'bb')).toThrow(/'bb', is not in it \(it names a, b\)/);
  });
});

describe('the configuration file', () => {
  test('says the same as the flags', () => {
    const file = parseClusterFile(JSON.stringify({
      nodes: { b: { peer: 'h:2' }, a: { peer: 'h:1', client: 'wss://a.example/sync' } },
      node: 'a', tls: { ca: 'ca.pem', cert: 'a.pem', key: 'a.key' },
    }));
    expect([...(file.nodes ?? [])]).toEqual([
      ['a', { peerAddress: 'h:1', clientUrl: 'wss://a.example/sync' }], ['b', { peerAddress: 'h:2' }],
    ]);
    expect(file).toMatchObject({ node: 'a', tls: { ca: 'ca.pem', cert: 'a.pem', key: 'a.key' } });
    expect(parseClusterFile('{"secretFile":"s"}')).toEqual({ secretFile: 's' });
  });

  const flaws: [text: string, why: RegExp][] = [
    ['{', /no JSON/],
    ['[]', /the file is no object/],
    ['{"nods":{}}', /'nods' in the file is not known/],
    ['{"nodes":{"a":"h:1"}}', /nodes.a is no object/],
    ['{"nodes":{"a":{"peer":"h:1","clients":"x"}}}', /'clients' in nodes.a is not known/],
    ['{"nodes":{"a":{"peer":1}}}', /nodes.a.peer is no text/],
    ['{"nodes":{"a":{"peer":"h:1","client":"http://x"}}}', /not ws:/],
    ['{"tls":{"ca":"x","cert":"y"}}', /tls.key is no text/],
  ];
  for (const [text, why] of flaws) {
    test(`is refused: ${text}`, () => {
      expect(() => parseClusterFile(text)).toThrow(expect.objectContaining({ code: 'config-invalid' }));
      expect(() => parseClusterFile(text)).toThrow(why);
    });
  }
});

test('a member id has the name of its node in it', () => {
  const id = makeMemberId('node-1', 'abcdef12');
  expect([id, nameOfMember(id)]).toEqual(['node-1.abcdef12', 'node-1']);
  expect(['', 'a', 'a.', 'a.short', 'a.ABCDEFGH', 'a.abcdefgh.x', '.abcdefgh', 7].some(isMemberId)).toBe(false);
});

describe('messages of a cluster', () => {
  const id = makeMemberId('a', 'abcdef12');
  const member = { id, name: 'a', peerAddress: 'h:1', clientUrl: 'ws://h/sync' };
  const announce: ClusterMessage = {
    kind: 'announce', id, peerAddress: 'h:1', clientUrl: 'ws://h/sync', standing: 'fresh',
    cluster: undefined, list: ['a'], version: '1',
  };
  const form: ClusterMessage = {
    kind: 'form', cluster: 'k', you: id, first: { number: 0, fromSlot: 1, voters: [member], learners: [] },
  };

  const position: ClusterMessage = {
    kind: 'position', chosenSlot: 9, appliedSlot: 7, leader: id, fsyncMs: 0.4, loopLagMs: 1, wallMs: 5,
  };

  test('are read as they were written', () => {
    const member = { ...announce, standing: 'member', cluster: 'k' } as const;
    for (const message of [announce, member, form, position, { ...position, leader: undefined }]) {
      expect(decodeClusterMessage(encodeClusterMessage(message))).toEqual(message);
    }
  });

  test('with one field changed are none, or sound ones: never a throw, never half a message', () => {
    const values = [undefined, null, -1, 1.5, '', 'x'.repeat(600), '\n', [], {}, ['A'], true];
    for (const message of [announce, form, position]) {
      for (const field of Object.keys(message)) {
        for (const value of values) {
          const read = decodeClusterMessage(JSON.stringify({ ...message, [field]: value }));
          if (read !== undefined) expect(decodeClusterMessage(encodeClusterMessage(read))).toEqual(read);
        }
      }
    }
    for (const text of ['', 'x', 'null', '[]', '{}', '"announce"', `"${'x'.repeat(70_000)}"`]) {
      expect(decodeClusterMessage(text)).toBeUndefined();
    }
    const strange = { ...form, first: { ...form.first, voters: [{ ...member, id: 'nobody' }] } };
    expect(decodeClusterMessage(JSON.stringify(strange))).toBeUndefined();
  });
});
