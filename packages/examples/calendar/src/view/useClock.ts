/** The clock of the zone that is shown, for every part of the screen that says a time. */
import { createContext, useContext } from 'react';
import { Clock } from '../time/clock.js';
import { deviceZone } from '../time/shown-zone.js';

export const ClockContext = createContext<Clock>(new Clock(deviceZone()));

export const useClock = (): Clock => useContext(ClockContext);
