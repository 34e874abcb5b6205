import type { Caller } from '../../src/auth/caller.js';
import { RefusedSends } from '../../src/messages/refused-sends.js';

const ann: Caller = { id: 'ann', name: 'Ann', tokenExpiresAt: 0 };
const ben: Caller = { ...ann, id: 'ben' };
const send = (clientMsgId: string, roomId = 'room') => ({ roomId, clientMsgId, text: 'Hello' });

describe('what a caller sends behind a refused send', () => {
  it('waits until that one comes again, whatever else was refused meanwhile', () => {
    const refused = new RefusedSends();
    refused.note(ann, send('1'));
    expect(refused.standsBefore(ann, send('2'))).toBe(true);
    refused.note(ann, send('2'));
    expect(refused.standsBefore(ann, send('2'))).toBe(true);
    expect(refused.standsBefore(ann, send('1'))).toBe(false);
    expect(refused.standsBefore(ann, send('2'))).toBe(false);
  });

  it('is nobody else’s matter, and no other room’s', () => {
    const refused = new RefusedSends();
    refused.note(ann, send('1'));
    expect(refused.standsBefore(ben, send('2'))).toBe(false);
    expect(refused.standsBefore(ann, send('2', 'other'))).toBe(false);
  });
});
