/** The word about what was just done, with the way back beside it. */
import { useEffect } from 'react';
import type { Word } from './useWord.js';

export interface WordBarProps {
  readonly word: Word | undefined;
  /** Somebody reads it: it stays. */
  hold(isHeld: boolean): void;
  undo(): void;
  redo(): void;
}

export function WordBar({ word, hold, undo, redo }: WordBarProps) {
  return (
    <div
      className="word"
      data-shown={word !== undefined}
      onMouseEnter={() => hold(true)}
      onMouseLeave={() => hold(false)}
      onFocus={() => hold(true)}
      onBlur={() => hold(false)}
    >
      <p role="status" data-testid="word">
        {word?.text}
      </p>
      {word?.turn !== undefined && (
        <TurnButton turn={word.turn} text={word.text} hold={hold} undo={undo} redo={redo} />
      )}
    </div>
  );
}

interface TurnButtonProps extends Omit<WordBarProps, 'word'> {
  readonly turn: 'undo' | 'redo';
  readonly text: string;
}

/** One button for there and back: the focus stays on it. */
function TurnButton({ turn, text, hold, undo, redo }: TurnButtonProps) {
  // A button that goes while it has the focus says so to nobody.
  useEffect(() => () => hold(false), [hold]);
  const label = turn === 'undo' ? 'Undo' : 'Do it again';
  return (
    <button
      type="button"
      onClick={turn === 'undo' ? undo : redo}
      aria-keyshortcuts={turn === 'undo' ? 'Control+Z' : 'Control+Y'}
      aria-label={`${label}: ${text}`}
      data-testid={turn}
    >
      {label}
    </button>
  );
}
