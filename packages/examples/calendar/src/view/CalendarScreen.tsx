/**
 * The calendar with everything around it. Decides only what is open; all that lasts is in the
 * session.
 */
import { useState, type MouseEvent } from 'react';
import type { PageUpdate } from '../installed/update.js';
import { usePeople, useRooms, useSync } from '../session/hooks.js';
import type { Session } from '../session/session.js';
import { HOUR_MS } from '../time/clock.js';
import type { ShownZone } from '../time/shown-zone.js';
import { BoardArea } from './BoardArea.js';
import { exportAll } from './exportAll.js';
import { Icon } from './icons.js';
import { InspectorButton } from './InspectorButton.js';
import { NoticePanel, Toasts } from './Notices.js';
import { ScreenDialogs, type Panel } from './ScreenDialogs.js';
import { Sidebar } from './Sidebar.js';
import { Banner, SyncStatus } from './SyncStatus.js';
import { TopBar } from './TopBar.js';
import { UpdateBar } from './UpdateBar.js';
import { useBoard, type Board } from './useBoard.js';
import { proposedStart, useBookingDialog, type BookingDialogState } from './useBookingDialog.js';
import { useClock } from './useClock.js';
import { useNarrow } from './useNarrow.js';
import { useNoticeList } from './useNoticeList.js';
import { useNow } from './useNow.js';
import { useShortcuts } from './useShortcuts.js';
import { useWord, type Act } from './useWord.js';
import { WordBar } from './WordBar.js';
import { ZonePicker } from './ZonePicker.js';

export interface CalendarScreenProps {
  readonly session: Session;
  readonly zone: ShownZone;
  readonly update: PageUpdate;
  onLeave(): void;
}

interface PartProps extends CalendarScreenProps {
  readonly board: Board;
  readonly dialog: BookingDialogState;
  readonly now: number;
  readonly act: Act;
  open(panel: Panel): void;
}

function Side({ session, board, now, zone, open, onLeave, onNew }: SideProps) {
  return (
    <Sidebar
      rooms={useRooms(session)}
      people={usePeople(session)}
      me={session.me}
      hidden={board.hidden}
      onToggleRoom={board.toggleRoom}
      onOnlyRoom={board.onlyRoom}
      onLeave={onLeave}
      onNew={onNew}
      onAddRoom={() => open('room')}
      onImport={() => open('import')}
      onExport={() => exportAll(session)}
      onKeys={() => open('keys')}
    >
      <ZonePicker zone={zone} now={now} />
      <InspectorButton session={session} />
    </Sidebar>
  );
}

type SideProps = PartProps & { onNew(): void };

interface Moves {
  add(): void;
  today(): void;
  step(by: -1 | 1): void;
}

function useMoves(board: Board, dialog: BookingDialogState, now: number): Moves {
  const clock = useClock();
  const start = proposedStart(board.date, now, clock);
  return {
    add: () => dialog.openNew({ start, end: start + HOUR_MS }),
    step: (by) =>
      board.setDate(clock.addDays(board.date, by * (board.view === 'day' ? 1 : 7))),
    today: () => board.setDate(now),
  };
}

interface KeyTargets extends Pick<PartProps, 'board' | 'open'> {
  readonly moves: Moves;
  readonly said: ReturnType<typeof useWord>;
  inbox(): void;
  offline(): void;
}

/** KeysDialog lists them. */
function useKeys({ board, open, moves, said, inbox, offline }: KeyTargets): void {
  const search = (): void => open('search');
  useShortcuts({
    n: moves.add,
    t: moves.today,
    d: () => board.setView('day'),
    w: () => board.setView('week'),
    j: () => moves.step(1),
    k: () => moves.step(-1),
    g: () => document.getElementById('go-to-day')?.focus(),
    i: inbox,
    o: offline,
    '/': search,
    'ctrl+k': search,
    'ctrl+z': said.undo,
    'ctrl+y': said.redo,
    'ctrl+shift+z': said.redo,
    '?': () => open('keys'),
  });
}

/** On a narrow screen the side lies over the calendar; it goes when something is chosen there. */
function useDrawer() {
  const [isOpen, setOpen] = useState(false);
  const onClick = ({ target, currentTarget }: MouseEvent<HTMLElement>): void => {
    const isAction = target instanceof Element && target.closest('[data-closes-menu]') !== null;
    if (target === currentTarget || isAction) setOpen(false);
  };
  return { isOpen, onClick, toggle: () => setOpen(!isOpen), close: () => setOpen(false) };
}

function useScreen(props: CalendarScreenProps) {
  const { session } = props;
  const now = useNow();
  const narrow = useNarrow();
  const sync = useSync(session);
  const board = useBoard(session, narrow, now);
  const rooms = useRooms(session);
  const defaultRoom = (board.shownRooms[0] ?? rooms[0])?.id;
  const dialog = useBookingDialog({ session, now, clock: useClock(), defaultRoom });
  const [panel, open] = useState<Panel>();
  const list = useNoticeList({ session, board, dialog, narrow });
  const said = useWord(session, list.notices.length);
  const moves = useMoves(board, dialog, now);
  const offline = sync.byChoice ? session.goOnline : session.goOffline;
  const inbox = (): void => list.setOpen(!list.isOpen);
  useKeys({ board, open, moves, said, inbox, offline });
  const part: PartProps = { ...props, board, dialog, now, act: said.act, open };
  return { part, narrow, sync, rooms, panel, list, said, moves, offline, inbox };
}

export function CalendarScreen(props: CalendarScreenProps) {
  const { session, update } = props;
  const screen = useScreen(props);
  const { part, narrow, sync, panel, list, moves } = screen;
  const { board, open } = part;
  const drawer = useDrawer();
  return (
    <div className="screen" data-drawer={drawer.isOpen} data-notices={list.isOpen}>
      <TopBar
        space={session.space}
        title={board.title}
        date={board.date}
        view={board.view}
        noticeCount={list.notices.length}
        noticesOpen={list.isOpen}
        menuOpen={drawer.isOpen}
        sync={<SyncStatus state={sync} onToggle={screen.offline} />}
        onView={board.setView}
        onStep={moves.step}
        onDate={board.setDate}
        onToday={moves.today}
        onSearch={() => open('search')}
        onNotices={screen.inbox}
        onMenu={drawer.toggle}
      />
      <UpdateBar update={update} safe={sync.isKept || sync.waiting.length === 0} />
      <Banner state={sync} />
      <div className="columns">
        <div
          className="side"
          onClick={drawer.onClick}
          onKeyDown={(event) => event.key === 'Escape' && drawer.close()}
        >
          <Side {...part} onNew={moves.add} />
        </div>
        <main className="main">
          <BoardArea {...part} narrow={narrow} onAddRoom={() => open('room')} />
        </main>
        {list.isOpen && (
          <NoticePanel
            notices={list.notices}
            actions={list.actions}
            onClose={() => list.setOpen(false)}
          />
        )}
      </div>
      <button
        type="button"
        className="fab only-narrow"
        aria-label="New booking"
        disabled={screen.rooms.length === 0}
        onClick={moves.add}
      >
        <Icon name="plus" />
      </button>
      <WordBar {...screen.said} />
      <Toasts notices={list.notices} muted={list.isOpen} onOpen={() => list.setOpen(true)} />
      <ScreenDialogs {...part} panel={panel} />
    </div>
  );
}
