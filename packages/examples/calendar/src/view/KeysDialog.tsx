/** All that can be done by key, listed. */
import { Dialog } from './Dialog.js';

const KEYS: readonly (readonly [title: string, keys: readonly (readonly [string, string])[]])[] = [
  [
    'Anywhere',
    [
      ['N', 'New booking'],
      ['/ or Ctrl K', 'Search'],
      ['Ctrl Z', 'Undo: one step after the other'],
      ['Ctrl Y', 'Do it again'],
      ['I', 'Moved and refused bookings'],
      ['O', 'Work offline, go online'],
      ['?', 'This list'],
    ],
  ],
  [
    'Time',
    [
      ['T', 'Today'],
      ['J, K', 'Next, previous day or week'],
      ['D, W', 'Day, week'],
      ['G', 'Go to a day'],
    ],
  ],
  [
    'On a booking',
    [
      ['↑ ↓', 'Previous, next booking'],
      ['Enter', 'Open: change it, cancel it'],
      ['Alt ↑ ↓', 'A quarter of an hour earlier, later'],
      ['Alt ← →', 'Another day or room'],
      ['Alt Shift ↑ ↓', 'End earlier, later'],
    ],
  ],
  [
    'In a form',
    [
      ['Enter', 'Book, save'],
      ['Esc', 'Close'],
    ],
  ],
];

export function KeysDialog({ onClose }: { onClose(): void }) {
  return (
    <Dialog title="Keyboard" testId="keys-dialog" onClose={onClose} onSubmit={onClose}>
      <div className="keys">
        {KEYS.map(([title, keys]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {keys.map(([key, what]) => (
                <div key={key}>
                  <dt>
                    <kbd>{key}</kbd>
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <footer className="dialog-foot">
        <span className="grow" />
        <button type="submit" className="primary" data-first>
          Close
        </button>
      </footer>
    </Dialog>
  );
}
