/**
 * A room's or person's colour as the custom property that the stylesheet mixes its tints from.
 */
import type { CSSProperties } from 'react';

// reason: React's own type knows no custom properties; the DOM takes them.
export const roomColour = (colour: string): CSSProperties =>
  ({ '--room': colour }) as CSSProperties;
