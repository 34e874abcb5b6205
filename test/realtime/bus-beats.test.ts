import { BusBeats } from '../../src/realtime/bus-beats.js';

describe('the beats of the bus', () => {
  it('miss our own after a second', () => {
    const beats = new BusBeats();
    beats.begin(0);
    expect(beats.hear(beats.id, 100)).toBe('own');
    expect(beats.isOneMissed(1_100)).toBe(false);
    expect(beats.isOneMissed(1_101)).toBe(true);
    expect(beats.age(1_101)).toBe(1_001);
  });

  it('miss those of an instance that falls silent, not those of one that said goodbye, and forget it at last', () => {
    const [beats, cutOff, stopped] = [new BusBeats(), new BusBeats(), new BusBeats()];
    beats.begin(0);
    for (const { id } of [cutOff, stopped]) expect(beats.hear(id, 0)).toBe('peer');
    beats.hear(stopped.goodbye, 500);
    beats.hear(beats.id, 2_000);
    expect(beats.isOneMissed(2_000)).toBe(true);
    expect(beats.hear(cutOff.id, 2_000)).toBe('peer');
    expect(beats.isOneMissed(2_000)).toBe(false);
    beats.hear(beats.id, 602_001);
    expect(beats.isOneMissed(602_001)).toBe(false);
  });

  it('blame nobody for what could not be heard here', () => {
    const [beats, peer] = [new BusBeats(), new BusBeats()];
    beats.hear(peer.id, 0);
    beats.begin(60_000);
    expect(beats.isOneMissed(60_500)).toBe(false);
    expect(beats.isOneMissed(61_500)).toBe(true);
  });

  it('take what is no beat for junk', () => {
    expect(new BusBeats().hear('1')).toBe('junk');
  });
});
