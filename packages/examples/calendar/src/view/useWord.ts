/** A word about what has just been asked for, when it will not simply be done. */
import { useEffect, useState } from 'react';
import type { Outlook } from '../session/session.js';

const WORD_MS = 7_000;

function wordOf(outlook: Outlook): string | undefined {
  switch (outlook.kind) {
    case 'rejected':
      return (
        `As things stand it would be refused. ${outlook.reason ?? ''} ` +
        'The calendar decides when it is sent.'
      );
    case 'alternative':
      return 'Your first choice looks taken: one of your alternatives is in the calendar.';
    default:
      return undefined;
  }
}

/** `notices`: how many are listed. What the list says of the change takes the word's place. */
export function useWord(notices: number) {
  const [said, setSaid] = useState<{ readonly word: string; readonly notices: number }>();
  useEffect(() => {
    if (said === undefined) return;
    const timer = setTimeout(() => setSaid(undefined), WORD_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const say = (outlook: Outlook | undefined): void => {
    const word = outlook === undefined ? undefined : wordOf(outlook);
    if (word !== undefined) setSaid({ word, notices });
  };
  const isAnswered = said !== undefined && notices > said.notices;
  return { word: isAnswered ? undefined : said?.word, say };
}
