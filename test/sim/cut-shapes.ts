/**
 * The ways in which a network of nodes comes apart, as directed pairs between which nothing passes.
 */
import type { Random } from './random.js';

export type Path = readonly [from: string, to: string];

const SHAPES = [
  'one', 'leader', 'halves', 'ring', 'bridge', 'one-way', 'leader-deaf', 'leader-mute',
] as const;

/** `leader`: undefined if nobody leads; then another node stands in. */
export function drawCut(random: Random, names: readonly string[], leader: string | undefined): Path[] {
  const shuffled = shuffle(random, names);
  const [one = '', two = ''] = shuffled;
  const head = leader ?? one;
  switch (random.pick(SHAPES)) {
    case 'one': return both(names, (a, b) => a === one || b === one);
    case 'leader': return both(names, (a, b) => a === head || b === head);
    case 'halves': {
      const half = new Set(shuffled.slice(0, Math.ceil(names.length / 2)));
      return both(names, (a, b) => half.has(a) !== half.has(b));
    }
    // Each sees a majority, and no two see the same one.
    case 'ring': return both(names, (a, b) => !areNear(shuffled, a, b));
    // Two halves that both see one node.
    case 'bridge': {
      const left = new Set(shuffled.slice(1, 1 + Math.floor((names.length - 1) / 2)));
      return both(names, (a, b) => a !== one && b !== one && left.has(a) !== left.has(b));
    }
    case 'one-way': return [[one, two]];
    case 'leader-deaf': return both(names, (_, b) => b === head);
    case 'leader-mute': return both(names, (a) => a === head);
  }
}

function both(names: readonly string[], isCut: (from: string, to: string) => boolean): Path[] {
  return names.flatMap((a) =>
    names.filter((b) => a !== b && isCut(a, b)).map((b): Path => [a, b]));
}

/** In a circle, so near that together with the node itself they make a majority. */
function areNear(circle: readonly string[], a: string, b: string): boolean {
  const apart = Math.abs(circle.indexOf(a) - circle.indexOf(b));
  const reach = Math.ceil(Math.floor(circle.length / 2) / 2);
  return Math.min(apart, circle.length - apart) <= reach;
}

function shuffle<T>(random: Random, items: readonly T[]): T[] {
  const left = [...items];
  const shuffled: T[] = [];
  while (left.length > 0) shuffled.push(...left.splice(random.int(0, left.length), 1));
  return shuffled;
}
