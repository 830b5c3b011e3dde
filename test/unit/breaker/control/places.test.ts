import { joinPlaces, parsePlaces, placesOf, venuesOf } from '../../../../src/breaker/control/places';
import { parseScope } from '../../../../src/breaker/scope';

const place = (venue: string, jobType: string, sendWithinMs = 1_000) => ({ venue, jobType, sendWithinMs });
const PLACES = [place('paper', 'order.place'), place('binance', 'order.place'), place('books', 'payout.send')];

describe('the places that orders may hold', () => {
  it('are read as workers tell them, without what else was sent', () => {
    expect(parsePlaces(undefined)).toEqual([]);
    expect(parsePlaces([{ ...PLACES[0], more: 1 }])).toEqual([PLACES[0]]);
  });

  it.each([
    [5],
    [{}],
    ['paper'],
    [[null]],
    [[{ venue: 'paper' }]],
    [[{ ...PLACES[0], jobType: 'x' }]],
    [[{ ...PLACES[0], sendWithinMs: '1' }]],
  ])('are refused as %j', (raw) => {
    expect(() => parsePlaces(raw)).toThrow('places: must be a list of {venue, jobType, sendWithinMs}');
  });

  it('are kept once each; what is told later counts', () => {
    expect(joinPlaces(PLACES, [place('paper', 'order.place', 9)])).toEqual([
      PLACES[1],
      place('paper', 'order.place', 9),
      PLACES[2],
    ]);
  });

  it.each<[string, number[]]>([
    ['all', [0, 1, 2]],
    ['paper', [0]],
    ['paper/order.place', [0]],
    ['paper/order.cancel', []],
    ['paper/account/main', [0]],
    // An account may look like a job type, or hold a dot.
    ['paper/account/order.cancel', [0]],
    ['books/payout.send', [2]],
  ])('that %s concerns', (scope, expected) => {
    expect(placesOf(parseScope(scope), PLACES)).toEqual(expected.map((i) => PLACES[i]));
  });

  it('tell where an order is written: to all at every venue that is known, and at the books in any case', () => {
    expect(venuesOf(parseScope('all'), [])).toEqual(['books']);
    expect(venuesOf(parseScope('all'), ['paper', 'binance', 'paper'])).toEqual(['binance', 'books', 'paper']);
    expect(venuesOf(parseScope('other/order.place'), ['paper'])).toEqual(['other']);
  });
});
