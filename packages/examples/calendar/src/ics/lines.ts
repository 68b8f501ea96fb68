/**
 * Text of an .ics file to content lines and components, with the number of the line where each
 * begins. The library's own parser gives up on a file at its first bad line; people's calendars
 * are full of those. So the file is cut up here, and only single content lines are handed to the
 * library. RFC 5545 §3.1.
 */

/**
 * What could not be read, for the person who imports: line numbers count from 1, as in an editor.
 */
export interface Problem {
  readonly line: number;
  readonly reason: string;
}

/** A line after unfolding; `line` is where it begins in the file. */
export interface ContentLine {
  readonly line: number;
  readonly text: string;
}

export interface Block {
  readonly name: string;
  readonly line: number;
  /** Own content lines, without those of the blocks inside. */
  readonly lines: readonly ContentLine[];
  /** All lines from BEGIN to END, blocks inside included. */
  readonly whole: readonly ContentLine[];
}

/** The name of the property that a line holds. */
export const nameOf = ({ text }: ContentLine): string | undefined =>
  /^[A-Za-z0-9-]+(?=[:;])/.exec(text)?.[0].toUpperCase();

export const NAMELESS = 'This line cannot be read: it does not begin with a name and a colon';

/**
 * Real files have blanks within the parameters (“DTSTART; TZID=…”), where none may stand
 * (RFC 5545 §3.1). Taken out up to the first colon that is not quoted; the value stays as it is.
 */
function tidy(text: string): string {
  const head = /^(?:[^":]|"[^"]*")*/.exec(text)?.[0] ?? '';
  if (head.length === text.length || !/[ \t]/.test(head)) return text;
  const tidied = head.replace(/[ \t]*([;=,])[ \t]*|[ \t]+$|("[^"]*")/g, '$1$2');
  return tidied + text.slice(head.length);
}

/** A line that begins with a space or a tab continues the one before it. */
export function unfold(text: string): ContentLine[] {
  const unfolded: { line: number; text: string }[] = [];
  const physical = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  physical.forEach((part, index) => {
    const last = unfolded.at(-1);
    if (/^[ \t]/.test(part) && last !== undefined) last.text += part.slice(1);
    else if (part.trim() !== '') unfolded.push({ line: index + 1, text: part });
  });
  return unfolded;
}

interface OpenBlock {
  name: string;
  line: number;
  lines: ContentLine[];
  whole: ContentLine[];
}

/**
 * Blocks that a calendar holds directly: what lies deeper (alarms, rules of a zone) stays inside
 * `whole`.
 */
const TOP_LEVEL = new Set(['VEVENT', 'VTIMEZONE', 'VTODO', 'VJOURNAL', 'VFREEBUSY']);

class BlockReader {
  readonly blocks: Block[] = [];
  readonly problems: Problem[] = [];
  #top: OpenBlock | undefined;
  /** Within VCALENDAR: what stands before it is no calendar, and not worth a report a line. */
  #isInside = false;
  #inner: string[] = [];

  line(content: ContentLine): void {
    const marker = /^(BEGIN|END):\s*([A-Za-z0-9-]+)\s*$/i.exec(content.text);
    const [, kind, name] = marker ?? [];
    if (kind === undefined || name === undefined) this.#content(content);
    else if (kind.toUpperCase() === 'BEGIN') this.#begin(name.toUpperCase(), content);
    else this.#end(name.toUpperCase(), content);
  }

  finish(): void {
    if (this.#top !== undefined) this.#abandon(this.#top, 'the file ends before it does');
  }

  #content(content: ContentLine): void {
    if (this.#top === undefined) {
      if (this.#isInside && nameOf(content) === undefined) this.#report(content.line, NAMELESS);
      return;
    }
    this.#top.whole.push(content);
    if (this.#inner.length === 0) this.#top.lines.push(content);
  }

  #begin(name: string, content: ContentLine): void {
    if (name === 'VCALENDAR') this.#isInside = true;
    if (TOP_LEVEL.has(name)) {
      if (this.#top !== undefined) this.#abandon(this.#top, `END:${this.#top.name} is missing`);
      this.#top = { name, line: content.line, lines: [], whole: [content] };
      this.#inner = [];
    } else if (this.#top !== undefined) {
      this.#top.whole.push(content);
      this.#inner.push(name);
    }
  }

  #end(name: string, content: ContentLine): void {
    if (this.#top === undefined) {
      if (TOP_LEVEL.has(name)) this.#report(content.line, `END:${name} without its BEGIN`);
      return;
    }
    if (name === 'VCALENDAR') {
      this.#abandon(this.#top, `END:${this.#top.name} is missing`);
      return;
    }
    this.#top.whole.push(content);
    if (name === this.#top.name) this.#close(this.#top);
    else if (this.#inner.at(-1) === name) this.#inner.pop();
    else this.#report(content.line, `END:${name} does not match what is open here`);
  }

  #close(block: OpenBlock): void {
    this.blocks.push(block);
    this.#top = undefined;
    this.#inner = [];
  }

  #abandon(block: OpenBlock, why: string): void {
    this.#report(block.line, `${describe(block.name)} is incomplete: ${why}`);
    this.#top = undefined;
    this.#inner = [];
  }

  #report(line: number, reason: string): void {
    this.problems.push({ line, reason });
  }
}

export const describe = (name: string): string =>
  ({
    VEVENT: 'This event',
    VTIMEZONE: 'This time zone',
    VTODO: 'This task',
    VJOURNAL: 'This journal entry',
    VFREEBUSY: 'This free/busy time',
  })[name] ?? 'This part';

export function readBlocks(text: string): { blocks: Block[]; problems: Problem[] } {
  const reader = new BlockReader();
  for (const { line, text: whole } of unfold(text)) reader.line({ line, text: tidy(whole) });
  reader.finish();
  return { blocks: reader.blocks, problems: reader.problems };
}
