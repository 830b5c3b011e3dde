import { randomBytes, randomInt } from 'node:crypto';

/** As many workers as a mask of `lua/window.lua` tells apart. */
const NUMBERS = 31;

/** A worker that asks for its number at a venue, and the one that it goes by until it is told another. */
export interface NumberedWorker {
  token: string;
  number: number;
}

/**
 * The numbers by which the breakers of each venue tell the failures of this process from those of others: leased from Redis
 * with each question of the watch. Until Redis answers, and while it is away, the process goes by the one that it has.
 *
 * A number that changes hands makes two workers look like one, or one like two, until the window is over. Only the quorum
 * goes by it: claims and permits go by fences.
 */
export class WorkerNumbers {
  private readonly token = randomBytes(8).toString('hex');
  private readonly told = new Map<string, number>();

  constructor(private readonly first = randomInt(NUMBERS)) {}

  /** 0 to 30. */
  at(venue: string): number {
    return this.told.get(venue) ?? this.first;
  }

  /** Asks as this worker, and goes by the number that it is told. */
  async lease<Answer extends { number: number }>(
    venue: string,
    ask: (worker: NumberedWorker) => Promise<Answer>,
  ): Promise<Answer> {
    const answer = await ask({ token: this.token, number: this.at(venue) });
    this.told.set(venue, answer.number);
    return answer;
  }
}
