/** Planted bugs of the tabs of one profile: what a takeover, a freeze or a seat can get wrong. */
import type { PlantedBug } from '../planted.js';

const sdk = 'packages/sdk/src';

export const TABS_BUGS: readonly PlantedBug[] = [
  {
    name: 'tabs-no-fence',
    what: 'a thawed keeper writes over the state of the one that took its place',
    world: 'tabs',
    file: `${sdk}/drivers/fenced-store.ts`,
    find: '    }, keyOf(this.#epoch + 1));',
    put: '    });',
  },
  {
    name: 'tabs-seat-shared',
    what: 'a tab takes a seat whose owner lives',
    world: 'tabs',
    file: `${sdk}/replica/election.ts`,
    find: '    this.#seat += 1;\n',
    put: '    this.#seat += 1;\n    if (this.#seat === 2) {\n      this.#seat = 1;\n      return this.seatHeld();\n    }\n',
  },
  {
    name: 'tabs-own-dropped-at-takeover',
    what: 'a tab that takes the store over does not bring its own unsent updates to it',
    world: 'tabs',
    file: `${sdk}/replica/bring-together.ts`,
    find: '  const given = give(memory, disk);',
    put: '  const given = [...memory.tentative].slice(0, 0);',
  },
  {
    name: 'tabs-unsaved-forgotten',
    what: 'a thawed keeper forgets what it had not written when it was overtaken',
    world: 'tabs',
    file: `${sdk}/replica/tab-side.ts`,
    find: "own && stage === 'local' && id.replica !== state.replica));",
    put: "own && stage === 'local'));",
  },
  {
    name: 'tabs-seat-goes-on-too-early',
    what: 'a tab writes under a used seat before it knows all that was written under it',
    world: 'tabs',
    file: `${sdk}/replica/tab-machine.ts`,
    find: "    if (state.history !== history || state.csn < csn) return false;",
    put: '    if (state.csn >= 0) return true;',
  },
  {
    name: 'tabs-told-saved-before-the-disk',
    what: 'a tab is told that its update is saved when the keeper has it, and its disk has not',
    world: 'tabs',
    file: `${sdk}/replica/tab-side.ts`,
    find: "if (!own || stage === 'local') continue;",
    put: 'if (!own) continue;',
  },
];
