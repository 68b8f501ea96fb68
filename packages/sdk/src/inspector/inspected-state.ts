/** What of a space's living state the inspector reads. */
import type { AppDefinition } from '../model/index.js';
import type { SpaceState } from '../replica/state.js';

export type InspectedState = Pick<
  SpaceState<AppDefinition>,
  'space' | 'ground' | 'kept' | 'conflicts' | 'csn' | 'isOurs' | 'runner'
>;
