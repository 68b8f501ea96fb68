/** A new room: a name, how many it seats, a colour. */
import { useState } from 'react';
import { COLOURS } from '../starter.js';
import type { Room } from '../shapes.js';
import { Dialog } from './Dialog.js';
import { roomColour } from './colour.js';

export interface RoomDialogProps {
  readonly rooms: readonly Room[];
  onAdd(room: Omit<Room, 'id'>): void;
  onClose(): void;
}

function Colours({ value, onChange }: { readonly value: string; onChange(colour: string): void }) {
  return (
    <fieldset className="colours">
      <legend>Colour</legend>
      {COLOURS.map((colour, index) => (
        <label key={colour} style={roomColour(colour)}>
          <input
            type="radio"
            name="colour"
            checked={value === colour}
            onChange={() => onChange(colour)}
            aria-label={`Colour ${index + 1}`}
          />
          <span aria-hidden="true" />
        </label>
      ))}
    </fieldset>
  );
}

export function RoomDialog({ rooms, onAdd, onClose }: RoomDialogProps) {
  const [name, setName] = useState('');
  const [seats, setSeats] = useState('6');
  const [colour, setColour] = useState<string>(
    COLOURS[rooms.length % COLOURS.length] ?? COLOURS[0],
  );
  const [problem, setProblem] = useState<string>();
  const submit = (): void => {
    const capacity = Number(seats);
    const isThere = rooms.some((room) => room.name.toLowerCase() === name.trim().toLowerCase());
    if (name.trim() === '') setProblem('Give the room a name.');
    else if (isThere) setProblem('There is a room of that name.');
    else if (!(Number.isInteger(capacity) && capacity >= 1 && capacity <= 10_000)) {
      setProblem('How many does it seat? A number from 1 to 10,000.');
    } else onAdd({ name: name.trim(), capacity, colour });
  };
  return (
    <Dialog title="Add a room" small testId="room-dialog" onClose={onClose} onSubmit={submit}>
      <label className="field">
        Name
        <input
          data-first
          required
          maxLength={80}
          value={name}
          data-testid="room-name"
          onChange={(e) => setName(e.target.value)}
        />
      </label>
      <label className="field">
        Seats
        <input
          inputMode="numeric"
          required
          maxLength={5}
          value={seats}
          onChange={(e) => setSeats(e.target.value)}
        />
      </label>
      <Colours value={colour} onChange={setColour} />
      <p role="alert" className="problem">
        {problem}
      </p>
      <footer className="dialog-foot">
        <span className="grow" />
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" className="primary" data-testid="save-room">
          Add
        </button>
      </footer>
    </Dialog>
  );
}
