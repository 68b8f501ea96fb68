/** A new room: a name, how many it seats, a colour. */
import { useId, useState, type FormEvent } from 'react';
import { COLOURS } from '../starter.js';
import type { Room } from '../shapes.js';
import { Icon } from './icons.js';
import { useModal } from './useModal.js';
import { roomColour } from './colour.js';

export interface RoomDialogProps {
  readonly rooms: readonly Room[];
  onAdd(room: Omit<Room, 'id'>): void;
  onClose(): void;
}

export function RoomDialog({ rooms, onAdd, onClose }: RoomDialogProps) {
  const heading = useId();
  const dialog = useModal();
  const [name, setName] = useState('');
  const [capacity, setCapacity] = useState(6);
  const [colour, setColour] = useState<string>(COLOURS[rooms.length % COLOURS.length] ?? COLOURS[0]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onAdd({ name: name.trim(), capacity, colour });
  };
  return (
    <dialog ref={dialog} className="dialog is-small" aria-labelledby={heading} onCancel={onClose} onClose={onClose}>
      <form onSubmit={submit}>
        <header className="dialog-head">
          <h2 id={heading}>Add a room</h2>
          <button type="button" className="quiet" aria-label="Close" onClick={onClose}><Icon name="close" /></button>
        </header>
        <label className="field">Name
          <input autoFocus required maxLength={80} pattern=".*\S.*" value={name} data-testid="room-name"
            onChange={(e) => setName(e.target.value)} />
        </label>
        <label className="field">Seats
          <input type="number" min={1} max={10_000} required value={capacity}
            onChange={(e) => setCapacity(e.target.valueAsNumber || 1)} />
        </label>
        <fieldset className="colours">
          <legend>Colour</legend>
          {COLOURS.map((c, index) => (
            <label key={c} style={roomColour(c)}>
              <input type="radio" name="colour" checked={colour === c} onChange={() => setColour(c)}
                aria-label={`Colour ${index + 1}`} />
              <span aria-hidden="true" />
            </label>
          ))}
        </fieldset>
        <footer className="dialog-foot">
          <span className="grow" />
          <button type="button" onClick={onClose}>Cancel</button>
          <button type="submit" className="primary" data-testid="save-room">Add</button>
        </footer>
      </form>
    </dialog>
  );
}
