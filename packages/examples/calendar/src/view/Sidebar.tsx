/** Rooms to show or hide, people, and the ways in and out for calendar files. */
import type { ReactNode } from 'react';
import type { Person, Room } from '../shapes.js';
import { Icon } from './icons.js';
import { roomColour } from './colour.js';

export interface SidebarProps {
  readonly rooms: readonly Room[];
  readonly people: readonly Person[];
  readonly me: string;
  readonly hidden: ReadonlySet<string>;
  onToggleRoom(id: string): void;
  onOnlyRoom(id: string): void;
  onNew(): void;
  onAddRoom(): void;
  onImport(): void;
  onExport(): void;
  onKeys(): void;
  onLeave(): void;
  /** What stands between the people and the files. */
  readonly children: ReactNode;
}

export const initials = (name: string): string =>
  name
    .split(/\s+/)
    .slice(0, 2)
    .map((part) => [...part][0] ?? '')
    .join('')
    .toUpperCase();

export function Avatar({ person }: { readonly person: Pick<Person, 'name' | 'colour'> }) {
  return (
    <span className="avatar" style={roomColour(person.colour)} aria-hidden="true">
      {initials(person.name)}
    </span>
  );
}

function RoomList({ rooms, hidden, onToggleRoom, onOnlyRoom, onAddRoom }: SidebarProps) {
  return (
    <section aria-labelledby="rooms-heading">
      <header className="side-head">
        <h2 id="rooms-heading">Rooms</h2>
        <button
          type="button"
          className="quiet"
          aria-label="Add a room"
          onClick={onAddRoom}
          data-testid="add-room"
          data-closes-menu
        >
          <Icon name="plus" />
        </button>
      </header>
      <ul className="rooms">
        {rooms.map((room) => (
          <li key={room.id}>
            <label className="room" style={roomColour(room.colour)}>
              <input
                type="checkbox"
                checked={!hidden.has(room.id)}
                onChange={() => onToggleRoom(room.id)}
                data-testid={`room-${room.id}`}
              />
              <span className="grow one-line" title={room.name}>
                {room.name}
              </span>
              <span className="hint" title={`${room.capacity} seats`}>
                {room.capacity}
              </span>
            </label>
            <button type="button" className="only" onClick={() => onOnlyRoom(room.id)}>
              only
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Sidebar(props: SidebarProps) {
  const { people, me } = props;
  return (
    <div className="sidebar">
      <button
        type="button"
        className="primary wide"
        onClick={props.onNew}
        data-testid="new-booking"
        data-closes-menu
        disabled={props.rooms.length === 0}
      >
        <Icon name="plus" />
        New booking <kbd>N</kbd>
      </button>
      <RoomList {...props} />
      <section aria-labelledby="people-heading">
        <header className="side-head">
          <h2 id="people-heading">People</h2>
        </header>
        <ul className="people" data-testid="people">
          {people.map((person) => (
            <li key={person.id}>
              <Avatar person={person} />
              <span className="grow one-line" title={person.name}>
                {person.name}
              </span>
              {person.id === me && (
                <button type="button" className="only" onClick={props.onLeave}>
                  not you?
                </button>
              )}
            </li>
          ))}
        </ul>
      </section>
      {props.children}
      <section aria-labelledby="files-heading" className="files">
        <header className="side-head">
          <h2 id="files-heading">Calendar files</h2>
        </header>
        <button
          type="button"
          onClick={props.onImport}
          data-testid="import"
          data-closes-menu
          disabled={props.rooms.length === 0}
        >
          <Icon name="upload" />
          Import .ics
        </button>
        <button type="button" onClick={props.onExport} data-testid="export">
          <Icon name="download" />
          Export .ics
        </button>
      </section>
      <button
        type="button"
        className="keys-button"
        onClick={props.onKeys}
        data-testid="keys"
        data-closes-menu
      >
        <Icon name="keyboard" />
        Keyboard <kbd>?</kbd>
      </button>
    </div>
  );
}
