/**
 * A word about what has just been asked for: that it is done, and how to take it back; or that it
 * will not simply be done. It stays while somebody reads it with the mouse on it, or has the focus
 * there.
 */
import { useEffect, useState } from 'react';
import type { Outlook, Session, Turning } from '../session/session.js';

const WORD_MS = 8_000;

/**
 * Does it as one step that can be taken back, and says so. `words`: “Planning” booked. `stuck`: why
 * it cannot be taken back.
 */
export type Act = (words: string, act: () => Outlook | undefined, stuck?: string) => void;

export interface Word {
  readonly text: string;
  /** What can be done about it. */
  readonly turn: 'undo' | 'redo' | undefined;
}

function wordOf(words: string, outlook: Outlook | undefined, stuck: string | undefined): Word {
  switch (outlook?.kind) {
    case 'rejected':
      return {
        text:
          `As things stand it would be refused. ${outlook.reason ?? ''} ` +
          'The calendar decides when it is sent.',
        turn: undefined,
      };
    case 'alternative':
      return {
        text: 'Your first choice looks taken: one of your alternatives is in the calendar.',
        turn: 'undo',
      };
    default:
      return stuck === undefined
        ? { text: `${words}.`, turn: 'undo' }
        : { text: `${words}. ${stuck}`, turn: undefined };
  }
}

function turnedWord(turning: Turning | undefined, by: 'undo' | 'redo'): Word {
  if (turning === undefined) {
    return { text: by === 'undo' ? 'Nothing to undo.' : 'Nothing to do again.', turn: undefined };
  }
  const { words, refused } = turning;
  if (refused !== undefined) {
    const text = `${by === 'undo' ? 'Not undone' : 'Not done again'}: ${words}. ${refused}`;
    return { text, turn: undefined };
  }
  return by === 'undo'
    ? { text: `Undone: ${words}.`, turn: 'redo' }
    : { text: `Done again: ${words}.`, turn: 'undo' };
}

/** `notices`: how many are listed. What the list says of the change takes the word's place. */
export function useWord(session: Session, notices: number) {
  const [said, setSaid] = useState<{ readonly word: Word; readonly notices: number }>();
  const [isHeld, hold] = useState(false);
  useEffect(() => {
    if (said === undefined || isHeld) return;
    const timer = setTimeout(() => setSaid(undefined), WORD_MS);
    return () => clearTimeout(timer);
  }, [said, isHeld]);
  const say = (word: Word): void => setSaid({ word, notices });
  const act: Act = (words, doIt, stuck) =>
    say(wordOf(words, session.steps.take(words, doIt, stuck), stuck));
  const isAnswered = said !== undefined && notices > said.notices;
  return {
    word: isAnswered ? undefined : said?.word,
    act,
    hold,
    undo: () => say(turnedWord(session.undo(), 'undo')),
    redo: () => say(turnedWord(session.redo(), 'redo')),
  };
}
