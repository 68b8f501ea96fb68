/** Where we are in time, in which view, and how we stand with the server. */
import type { ReactNode } from 'react';
import type { BoardView } from './CalendarBoard.js';
import { Icon } from './icons.js';
import { Mark } from './pages.js';
import { useClock } from './useClock.js';

export interface TopBarProps {
  readonly space: string;
  readonly title: string;
  readonly date: number;
  readonly view: BoardView;
  readonly noticeCount: number;
  readonly noticesOpen: boolean;
  /** On a narrow screen: rooms, people and files lie over the calendar. */
  readonly menuOpen: boolean;
  readonly sync: ReactNode;
  onView(view: BoardView): void;
  onStep(by: -1 | 1): void;
  onDate(ms: number): void;
  onToday(): void;
  onSearch(): void;
  onNotices(): void;
  onMenu(): void;
}

function Navigation({ title, date, view, onStep, onDate, onToday, onView }: TopBarProps) {
  const clock = useClock();
  const unit = view === 'day' ? 'day' : 'week';
  const jump = (value: string): void => {
    const ms = clock.dayOfInput(value);
    if (ms !== undefined) onDate(ms);
  };
  return (
    <div className="nav">
      <button type="button" onClick={onToday} data-testid="today">
        Today
      </button>
      <div className="joined">
        <button
          type="button"
          aria-label={`Previous ${unit}`}
          onClick={() => onStep(-1)}
          data-testid="previous"
        >
          <Icon name="left" />
        </button>
        <button
          type="button"
          aria-label={`Next ${unit}`}
          onClick={() => onStep(1)}
          data-testid="next"
        >
          <Icon name="right" />
        </button>
      </div>
      <label className="title-date">
        <h1 aria-live="polite">{title}</h1>
        <input
          type="date"
          id="go-to-day"
          aria-label="Go to a day"
          value={clock.dateInput(date)}
          onChange={(e) => jump(e.target.value)}
          data-testid="go-to-date"
        />
      </label>
      <div className="joined views" role="group" aria-label="View">
        {(['day', 'week'] as const).map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={view === each}
            onClick={() => onView(each)}
            data-testid={`view-${each}`}
          >
            {each === 'day' ? 'Day' : 'Week'}
          </button>
        ))}
      </div>
    </div>
  );
}

export function TopBar(props: TopBarProps) {
  const { space, noticeCount, noticesOpen, sync, onSearch, onNotices, onMenu } = props;
  return (
    <header className="topbar">
      <div className="brand">
        <button
          type="button"
          className="quiet only-narrow"
          aria-label="Rooms, people and files"
          aria-expanded={props.menuOpen}
          onClick={onMenu}
          data-testid="menu"
        >
          <Icon name="menu" />
        </button>
        <Mark />
        <span className="space-name" data-testid="space">
          {space}
        </span>
      </div>
      <Navigation {...props} />
      <div className="status">
        {sync}
        <button
          type="button"
          className="quiet"
          aria-label="Search"
          aria-keyshortcuts="/ Control+K"
          title="Search ( / )"
          onClick={onSearch}
          data-testid="open-search"
        >
          <Icon name="search" />
        </button>
        <button
          type="button"
          className="quiet bell"
          aria-expanded={noticesOpen}
          onClick={onNotices}
          data-testid="bell"
          data-count={noticeCount}
          aria-label={`Moved and refused bookings: ${noticeCount}`}
        >
          <Icon name="bell" />
          {noticeCount > 0 && (
            <span className="badge" aria-hidden="true">
              {noticeCount > 99 ? '99+' : noticeCount}
            </span>
          )}
        </button>
      </div>
    </header>
  );
}
