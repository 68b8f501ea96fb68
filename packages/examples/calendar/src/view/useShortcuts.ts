/** Single keys for what is done often; silent while someone types or a dialog is open. */
import { useEffect, useRef } from 'react';

export type Shortcuts = Readonly<Record<string, () => void>>;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('input, textarea, select, dialog') !== null;

/** “n”, “?”; with Ctrl or the Apple key “ctrl+k”, “ctrl+shift+z”. */
const nameOf = ({ key, ctrlKey, metaKey, shiftKey }: KeyboardEvent): string => {
  if (!ctrlKey && !metaKey) return key.toLowerCase();
  return `ctrl+${shiftKey ? 'shift+' : ''}${key.toLowerCase()}`;
};

export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.altKey || isTyping(event.target)) return;
      if (document.querySelector('dialog[open]') !== null) return;
      const action = latest.current[nameOf(event)];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}
