/** TanStack DB collections over the live queries of a space. */
export { receiptsOf, spaceCollection } from './space-collection.js';
export type {
  Called, SpaceCollectionConfig, SpaceCollectionOptions, SpaceUtils,
} from './space-collection.js';
