/** Two ends of one link with all their spaces, frames in order, time given by the test. */
import {
  decodeMessage, LinkExchanges, type Ack, type SpaceFail, type SpaceId, type SpaceMessage,
} from '../index.js';

interface End {
  readonly link: LinkExchanges;
  readonly inbox: string[];
  readonly wanted: SpaceId[];
  readonly failed: SpaceFail[];
  readonly left: SpaceId[];
}

interface Arrival {
  readonly to: 'a' | 'b';
  readonly kind: string;
  readonly space: string | undefined;
}

export class LinkPair {
  readonly a: End;
  readonly b: End;
  nowMs = 0;
  /** Every frame, by kind and space, in the order in which it arrived. */
  readonly arrived: Arrival[] = [];

  constructor() {
    this.a = this.#end(() => this.b);
    this.b = this.#end(() => this.a);
  }

  #end(other: () => End): End {
    const end: Omit<End, 'link'> = { inbox: [], wanted: [], failed: [], left: [] };
    const link = new LinkExchanges({
      send: (frame) => { other().inbox.push(frame); },
      wanted: (space) => { end.wanted.push(space); },
      failed: (fail) => { end.failed.push(fail); },
      left: (space) => { end.left.push(space); },
      pumpSoon: () => undefined,
    });
    return { ...end, link };
  }

  /** One frame to that end; false when there is none. */
  deliver(to: 'a' | 'b'): boolean {
    const end = this[to];
    const frame = end.inbox.shift();
    if (frame === undefined) return false;
    // reason: only spaces' messages and acks travel between these ends.
    const message = decodeMessage(frame) as SpaceMessage | Ack;
    const space = 'space' in message ? message.space : undefined;
    this.arrived.push({ to, kind: message.kind, space });
    end.link.onMessage(message, frame.length, this.nowMs);
    return true;
  }

  run(): void {
    for (let busy = true; busy;) {
      this.a.link.pump(this.nowMs);
      this.b.link.pump(this.nowMs);
      busy = this.deliver('a');
      busy = this.deliver('b') || busy;
    }
  }
}
