/**
 * From a file to bookings, in three steps: choose, look at what was read and what was not, book.
 * Each event is booked on its own, so that one whose room is taken does not hold up the others.
 */
import { useEffect, useRef, useState } from 'react';
import { planBookings } from '../ics/plan.js';
import { readCalendar, TEXT_MAX, type ReadResult } from '../ics/read.js';
import type { BookInput, Room } from '../shapes.js';
import { plural, type Clock } from '../time/clock.js';
import { Dialog } from './Dialog.js';
import { useClock } from './useClock.js';

export interface ImportDialogProps {
  readonly rooms: readonly Room[];
  readonly me: string;
  readonly now: number;
  isKnown(bookingId: string): boolean;
  /** Why what is booked now is not safe, or does not leave. */
  readonly warning: string | undefined;
  /** Books one; false if it would be refused as things stand. */
  onBook(booking: BookInput): boolean;
  onClose(): void;
}

interface Read {
  readonly fileName: string;
  readonly result: ReadResult;
}

interface Done {
  readonly booked: number;
  readonly refused: number;
  readonly known: number;
}

/** Bytes of UTF-8 for as many characters. */
const FILE_BYTES_MAX = TEXT_MAX * 4;
const CHUNK = 40;
const SHOWN_MAX = 200;

async function readFile(file: File, now: number, clock: Clock): Promise<Read> {
  const text = file.size > FILE_BYTES_MAX ? ' '.repeat(TEXT_MAX + 1) : await file.text();
  const today = clock.dayStart(now);
  const window = { from: clock.addDays(today, -31), to: clock.addDays(today, 366) };
  return { fileName: file.name, result: readCalendar(text, { window, localZone: clock.zone }) };
}

interface Progress {
  onProgress(done: number): void;
  isStopped(): boolean;
}

/** A few at a time, so that the page stays alive under a file of thousands. */
async function bookAll(
  plan: readonly BookInput[],
  props: ImportDialogProps,
  { onProgress, isStopped }: Progress,
): Promise<Done> {
  let booked = 0;
  let refused = 0;
  const fresh = plan.filter((booking) => !props.isKnown(booking.id));
  for (let at = 0; at < fresh.length && !isStopped(); at += CHUNK) {
    for (const booking of fresh.slice(at, at + CHUNK)) {
      if (props.onBook(booking)) booked++;
      else refused++;
    }
    onProgress(Math.min(at + CHUNK, fresh.length));
    await new Promise((resolve) => setTimeout(resolve));
  }
  return { booked, refused, known: plan.length - fresh.length };
}

function Problems({ result }: { readonly result: ReadResult }) {
  const { problems } = result;
  if (problems.length === 0) return <p className="hint is-free">Every line could be read.</p>;
  return (
    <details className="problems" open>
      <summary data-testid="import-problem-count">
        {plural(problems.length, 'thing')} could not be read
      </summary>
      <ol>
        {problems.slice(0, SHOWN_MAX).map(({ line, reason }, index) => (
          <li key={index} data-testid="import-problem">
            <span className="line-no">line {line}</span> {reason}
          </li>
        ))}
      </ol>
      {problems.length > SHOWN_MAX && (
        <p className="hint">and {problems.length - SHOWN_MAX} more</p>
      )}
    </details>
  );
}

function Preview({ result }: { readonly result: ReadResult }) {
  const { events } = result;
  const clock = useClock();
  return (
    <>
      <p data-testid="import-count">
        {plural(events.length, 'event')} found, from a month ago to a year from now for those that
        repeat.
      </p>
      <ul className="preview">
        {events.slice(0, 5).map((event) => (
          <li key={`${event.uid} ${event.start}`}>
            <strong className="one-line">{event.title || 'Untitled'}</strong>
            <span>{clock.slotText(event)}</span>
          </li>
        ))}
        {events.length > 5 && <li className="hint">and {events.length - 5} more</li>}
      </ul>
    </>
  );
}

interface DoneReportProps {
  readonly done: Done;
  readonly warning: string | undefined;
}

function DoneReport({ done, warning }: DoneReportProps) {
  return (
    <div className="done" data-testid="import-done">
      <p>
        <strong>{plural(done.booked, 'booking')} added.</strong> They are final once the server has
        them.
      </p>
      {done.known > 0 && <p>{plural(done.known, 'event')} had been imported before.</p>}
      {done.refused > 0 && (
        <p>{plural(done.refused, 'event')} found the room taken. You find them under the bell.</p>
      )}
      {warning !== undefined && (
        <p role="alert" className="problem" data-testid="import-warning">
          {warning}
        </p>
      )}
    </div>
  );
}

function Choices({ rooms, room, onRoom, onFile }: ChoicesProps) {
  return (
    <>
      <label className="field">
        File, as Google, Outlook or Apple export it (.ics)
        <input
          type="file"
          accept=".ics,text/calendar"
          data-testid="import-file"
          data-first
          onChange={(e) => onFile(e.target.files?.[0])}
        />
      </label>
      <label className="field">
        Room for events whose place is none of your rooms
        <select value={room} onChange={(e) => onRoom(e.target.value)}>
          {rooms.map((r) => (
            <option key={r.id} value={r.id}>
              {r.name}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}

interface ChoicesProps {
  readonly rooms: readonly Room[];
  readonly room: string;
  onRoom(id: string): void;
  onFile(file: File | undefined): void;
}

function ImportProgress({ done, all }: { readonly done: number; readonly all: number }) {
  return (
    <div className="import-progress" data-testid="import-progress">
      <progress max={all} value={done} aria-label="Bookings made so far" />
      <span className="hint">
        {done.toLocaleString()} of {plural(all, 'booking')}
      </span>
    </div>
  );
}

export function ImportDialog(props: ImportDialogProps) {
  const { rooms, me, now, warning, onClose } = props;
  const clock = useClock();
  const [room, setRoom] = useState(rooms[0]?.id ?? '');
  const [read, setRead] = useState<Read>();
  const [progress, setProgress] = useState<number>();
  const [planned, setPlanned] = useState(0);
  const [done, setDone] = useState<Done>();
  const stopped = useRef(false);
  useEffect(() => {
    stopped.current = false;
    return () => void (stopped.current = true);
  }, []);
  const events = read?.result.events ?? [];
  const isReady = events.length > 0 && progress === undefined;
  const start = (): void => {
    if (!isReady) return;
    const fallback = { fallbackRoom: room, by: me, localZone: clock.zone };
    setProgress(0);
    const plan = planBookings(events, { rooms, ...fallback });
    setPlanned(plan.length);
    const isStopped = (): boolean => stopped.current;
    void bookAll(plan, props, { onProgress: setProgress, isStopped }).then(setDone);
  };
  const choose = (file: File | undefined): void => {
    if (file !== undefined) void readFile(file, now, clock).then(setRead);
  };
  return (
    <Dialog
      title="Import a calendar file"
      testId="import-dialog"
      onClose={onClose}
      onSubmit={start}
    >
      {done === undefined && <Choices rooms={rooms} room={room} onRoom={setRoom} onFile={choose} />}
      {read !== undefined && done === undefined && <Preview result={read.result} />}
      {done !== undefined && <DoneReport done={done} warning={warning} />}
      {read !== undefined && <Problems result={read.result} />}
      {progress !== undefined && done === undefined && (
        <ImportProgress done={progress} all={planned} />
      )}
      <footer className="dialog-foot">
        <span className="grow" />
        <button type="button" onClick={onClose}>
          {done !== undefined ? 'Close' : progress === undefined ? 'Cancel' : 'Stop'}
        </button>
        {done === undefined && (
          <button type="submit" className="primary" data-testid="import-start" disabled={!isReady}>
            {events.length === 0 ? 'Import' : `Import ${plural(events.length, 'event')}`}
          </button>
        )}
      </footer>
    </Dialog>
  );
}
