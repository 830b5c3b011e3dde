import type { DecimalString } from '../../domain/decimal';
import { compareDecimals, multiplyDecimals } from '../../domain/decimal';
import { floorToStep } from './amounts';
import type { PaperVenueConfig, SymbolConfig } from './config';
import { createRandom, type Random } from './random';

const MILLION = 1_000_000;
/** One basis point in the walk's unit, a millionth. */
const BPS = 100;

/**
 * A symbol's market price: an anchor, which is the last limit price seen, times a random walk that keeps coming back to 1.
 * Whole numbers of millionths and decimal strings only, so that the same seed gives the same prices everywhere.
 */
export class PriceWalk {
  private readonly random: Random;
  private anchor: DecimalString;
  private anchored = false;
  private offset: number;

  constructor(
    private readonly symbol: SymbolConfig,
    private readonly settings: PaperVenueConfig['walk'],
    seed: number,
    label: string,
  ) {
    this.random = createRandom(seed, `walk:${symbol.symbol}:${label}`);
    this.anchor = symbol.initial_price;
    this.offset = this.draw();
  }

  price(): DecimalString {
    const { tick, min } = this.symbol.filters.price;
    const price = floorToStep(multiplyDecimals(this.anchor, factor(this.offset)), tick);
    if (compareDecimals(price, '0') > 0) return price;
    return compareDecimals(min, '0') > 0 ? min : this.anchor;
  }

  /** Whether `price` is near enough for the market to go there. */
  isNear(price: DecimalString): boolean {
    const follow = Math.round(this.settings.follow_percent * 100 * BPS);
    return (
      compareDecimals(price, multiplyDecimals(this.anchor, factor(-Math.min(follow, MILLION)))) > 0 &&
      compareDecimals(price, multiplyDecimals(this.anchor, factor(follow))) < 0
    );
  }

  /**
   * Moves the market to a limit price that is near. `initial_price` is only a guess, so that the first limit price may
   * be up to ten times off. With `follow_percent: 0` the market stays at `initial_price`.
   */
  follow(price: DecimalString): void {
    if (this.settings.follow_percent === 0) return;
    const near = this.isNear(price) || (!this.anchored && this.isLikely(price));
    if (!near) return;
    this.anchor = price;
    this.anchored = true;
  }

  private isLikely(price: DecimalString): boolean {
    const highest = multiplyDecimals(this.anchor, '10');
    const least = multiplyDecimals(this.anchor, '0.1');
    return compareDecimals(price, least) >= 0 && compareDecimals(price, highest) <= 0;
  }

  step(): void {
    const range = this.settings.range_bps * BPS;
    const pulled = this.offset - Math.trunc(this.offset / 16);
    this.offset = Math.max(-range, Math.min(range, pulled + this.draw()));
  }

  private draw(): number {
    const step = this.settings.step_bps * BPS;
    return this.random.integer(-step, step);
  }
}

function factor(millionths: number): DecimalString {
  const total = MILLION + millionths;
  return `${Math.floor(total / MILLION)}.${String(total % MILLION).padStart(6, '0')}`;
}
