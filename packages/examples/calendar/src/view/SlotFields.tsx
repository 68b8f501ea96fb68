/** Room, day and times of the booking form, with what is odd about a time on that day. */
import type { Room } from '../shapes.js';
import { RoomSelect } from './fields.js';
import { oddityOf, type Fold, type SlotText } from './form.js';
import { useClock } from './useClock.js';

export interface SlotFieldsProps {
  readonly value: SlotText;
  readonly rooms: readonly Room[];
  onChange(slot: SlotText): void;
}

/** On the day on which the clocks go back: which of two equal hours. */
function Oddity({ label, time, fold, date, onFold }: OddityProps) {
  const oddity = oddityOf(date, time, useClock());
  if (oddity === undefined) return null;
  if (oddity.kind === 'gap')
    return (
      <p className="hint is-taken field-wide" role="status" data-testid="no-such-time">
        {oddity.text}
      </p>
    );
  return (
    <label className="field field-wide">
      {label}: {oddity.text}
      <select
        value={fold ?? 'first'}
        data-testid="field-fold"
        // reason: the two options below are the only values.
        onChange={(e) => onFold(e.target.value as Fold)}
      >
        <option value="first">the first time ({oddity.names[0]})</option>
        <option value="second">the second time ({oddity.names[1]})</option>
      </select>
    </label>
  );
}

interface OddityProps {
  readonly label: string;
  readonly date: string;
  readonly time: string;
  readonly fold: Fold | undefined;
  onFold(fold: Fold): void;
}

/** Which of two equal hours was meant is asked anew for another time. */
const without = (text: SlotText, ...names: readonly ('fromFold' | 'toFold')[]): SlotText => {
  const copy = { ...text };
  for (const name of names) delete copy[name];
  return copy;
};

export function SlotFields({ value, rooms, onChange }: SlotFieldsProps) {
  const { date, from, to, fromFold, toFold } = value;
  const [day, begin] = [without(value, 'fromFold', 'toFold'), without(value, 'fromFold')];
  const finish = without(value, 'toFold');
  return (
    <div className="slot-fields">
      <label className="field field-room">
        Room
        <RoomSelect
          rooms={rooms}
          value={value.room}
          label="Room"
          onChange={(room) => onChange({ ...value, room })}
        />
      </label>
      <label className="field field-day">
        Day
        <input
          type="date"
          required
          value={date}
          data-testid="field-date"
          onChange={(e) => onChange({ ...day, date: e.target.value })}
        />
      </label>
      <label className="field">
        From
        <input
          type="time"
          required
          value={from}
          data-testid="field-from"
          onChange={(e) => onChange({ ...begin, from: e.target.value })}
        />
      </label>
      <label className="field">
        To
        <input
          type="time"
          required
          value={to}
          data-testid="field-to"
          onChange={(e) => onChange({ ...finish, to: e.target.value })}
        />
      </label>
      <Oddity
        label="From"
        date={date}
        time={from}
        fold={fromFold}
        onFold={(fold) => onChange({ ...value, fromFold: fold })}
      />
      <Oddity
        label="To"
        date={date}
        time={to}
        fold={toFold}
        onFold={(fold) => onChange({ ...value, toFold: fold })}
      />
    </div>
  );
}
