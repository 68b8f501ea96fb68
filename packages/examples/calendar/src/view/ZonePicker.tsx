/** By whose clocks the calendar is shown: the device's own, unless another zone is chosen. */
import { deviceZone, placeOf, zoneNames, type ShownZone } from '../time/shown-zone.js';
import { useClock } from './useClock.js';

/** “Europe”, with all that lies there. */
function regions(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const name of names) {
    const region = name.includes('/') ? name.slice(0, name.indexOf('/')) : 'Other';
    found.set(region, [...(found.get(region) ?? []), name]);
  }
  return found;
}

const townOf = (name: string): string =>
  name.includes('/') ? name.slice(name.indexOf('/') + 1).replaceAll('_', ' ') : name;

export function ZonePicker({ zone, now }: { readonly zone: ShownZone; readonly now: number }) {
  const clock = useClock();
  const names = zoneNames(zone.chosen === undefined ? [] : [zone.chosen]);
  return (
    <section aria-labelledby="zone-heading" className="zone">
      <header className="side-head">
        <h2 id="zone-heading">Time zone</h2>
        <span className="hint" data-testid="zone-now">
          {clock.zoneText(now)}, {clock.timeText(now)}
        </span>
      </header>
      <select
        aria-labelledby="zone-heading"
        value={zone.chosen ?? ''}
        data-testid="zone"
        onChange={(e) => zone.choose(e.target.value === '' ? undefined : e.target.value)}
      >
        <option value="">This device’s ({placeOf(deviceZone())})</option>
        {[...regions(names)].map(([region, inside]) => (
          <optgroup key={region} label={region}>
            {inside.map((name) => (
              <option key={name} value={name}>
                {townOf(name)}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </section>
  );
}
