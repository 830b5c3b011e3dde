import type { LookVerdict } from '../../src/guard/answers';
import type { GuardRow } from './guard-rows';
import type { LevelVerdict } from './levels-model';
import { newRecord, type ModelLookStart, type ModelSettings } from './model-record';
import { RecordModel } from './record-model';
import type { StoreModel } from './store-model';

/** Asking the venue what became of an act, and what the answer makes of its record. */
export class LookModel extends RecordModel {
  constructor(
    protected readonly settings: ModelSettings,
    protected readonly store: StoreModel,
    protected readonly hit: (row: GuardRow) => void,
  ) {
    super();
  }

  lookBegin(
    now: number,
    request: { looker: string; givenUp: string; fingerprint: string; ends: boolean },
    judge: ((look: number) => LevelVerdict) | undefined,
    nextLook: () => number,
  ): ModelLookStart {
    const answer = (row: GuardRow, kind: string): { kind: string } => {
      this.hit(row);
      return { kind };
    };
    const busy = (row: GuardRow, until: number): ModelLookStart => {
      this.hit(row);
      return { kind: 'BUSY', waitTicks: until - now };
    };
    const looks = (wouldBlock: boolean): ModelLookStart => {
      const { look, quiesceAt, lookAt } = record;
      return { kind: 'LOOK', look, toQuiescence: Math.max(quiesceAt - lookAt, 0), wouldBlock };
    };
    const created = this.record === undefined;
    if (!this.record) {
      this.record = newRecord('UNKNOWN', request.fingerprint);
      this.record.quiesceAt = now + this.settings.quiesceTicks;
      this.record.owner = request.givenUp;
      this.record.sends = 1;
    }
    const { record } = this;
    const live = now < record.leaseUntil;
    if (this.conflicts(request.fingerprint)) return answer('look-begin: other fingerprint → CONFLICT', 'CONFLICT');
    if (record.state === 'DONE') return answer('look-begin: done', 'DONE');
    if (record.state === 'REJECTED') return answer('look-begin: rejected', 'REJECTED');
    if (record.state === 'RELEASED' && !this.store.suspected(now)) {
      const neverSent = record.go === 0 && record.sends === 0 && !record.decided;
      if (request.ends && !neverSent) {
        this.resolved('REJECTED');
        return answer('look-begin: released, and not to be sent again → REJECTED', 'REJECTED');
      }
      this.giveUp(request.givenUp);
      return answer(neverSent ? 'look-begin: released, never sent' : 'look-begin: released', 'RELEASED');
    }
    if (record.state === 'MANUAL') {
      this.giveUp(request.givenUp);
      return answer('look-begin: manual', 'MANUAL');
    }
    if (record.state === 'CLAIMED') {
      if (live && record.owner !== request.givenUp) {
        return busy('look-begin: claimed by another → BUSY', record.leaseUntil);
      }
      this.hit(live ? 'look-begin: claimed, given up → LOOK' : 'look-begin: claimed, lease over → LOOK');
    } else if (record.state === 'RECONCILING') {
      if (live && record.holder !== request.looker) {
        return busy('look-begin: another looks → BUSY', record.leaseUntil);
      }
      if (live) {
        this.hit('look-begin: the same call again → the same LOOK');
        this.giveUp(request.givenUp);
        return looks(false);
      }
      this.hit('look-begin: the other looker is gone → LOOK');
    } else if (record.state === 'RELEASED') this.hit('look-begin: released, store suspected → LOOK');
    else this.hit(created ? 'look-begin: no record → LOOK' : 'look-begin: unknown → LOOK');

    this.giveUp(request.givenUp);
    record.quiesceAt = Math.max(record.quiesceAt, this.store.until);
    if (record.absentAt < this.store.until) {
      if (record.absents > 0) this.hit('look-begin: store suspected, an earlier absence counts no longer');
      Object.assign(record, { absents: 0, absentAt: 0 });
    }
    if (record.looks >= this.settings.mostLooks) {
      Object.assign(record, { state: 'MANUAL', leaseUntil: 0 });
      return answer('look-begin: looked too often → MANUAL', 'MANUAL');
    }
    const look = nextLook();
    const said = judge?.(look);
    if (said?.verdict === 'wait') {
      this.hit('look-begin: the venue is not to be asked → OPEN');
      Object.assign(record, { state: 'UNKNOWN', leaseUntil: 0 });
      return { kind: 'OPEN', ...said };
    }
    record.looks += 1;
    record.state = 'RECONCILING';
    record.holder = request.looker;
    record.leaseUntil = now + this.settings.lookLeaseTicks;
    record.look = look;
    record.lookAt = now;
    return looks(said?.verdict === 'pass' && said.wouldBlock);
  }

  lookEnd(look: number, verdict: LookVerdict): { kind: string } {
    const { record, settings } = this;
    const answer = (row: GuardRow, kind: string): { kind: string } => {
      this.hit(row);
      return { kind };
    };
    if (!record) return answer('look-end: no record → FENCED', 'FENCED');
    if (record.state !== 'RECONCILING' || record.look !== look) {
      return answer('look-end: the record has moved on → FENCED', 'FENCED');
    }
    const again = (row: GuardRow): { kind: string } => {
      Object.assign(record, { state: 'UNKNOWN', leaseUntil: 0, word: '' });
      return answer(row, 'AGAIN');
    };
    if (verdict === 'found') {
      this.resolved('DONE');
      return answer('look-end: found → DONE', 'DONE');
    }
    if (verdict === 'rejected') {
      this.resolved('REJECTED');
      return answer('look-end: rejected → REJECTED', 'REJECTED');
    }
    if (verdict === 'repeatable') {
      this.resolved('RELEASED');
      return answer('look-end: may be repeated → RELEASED', 'RELEASED');
    }
    if (verdict === 'absent') {
      if (record.lookAt < record.quiesceAt) return again('look-end: absent, began before quiescence → again');
      if (record.absents === 0) {
        Object.assign(record, { absents: 1, absentAt: record.lookAt });
        if (settings.agreeing > 1) return again('look-end: absent, first → again');
      } else {
        const enoughApart = record.lookAt - record.absentAt >= settings.gapTicks * record.absents;
        if (!enoughApart) return again('look-end: absent, too soon after the first → again');
        record.absents += 1;
        if (record.absents < settings.agreeing) return again('look-end: absent, first → again');
      }
      this.resolved('RELEASED');
      return answer('look-end: absent, agreeing → RELEASED', 'RELEASED');
    }
    if (verdict === 'manual') {
      Object.assign(record, { state: 'MANUAL', leaseUntil: 0, word: '' });
      return answer('look-end: contradiction → MANUAL', 'MANUAL');
    }
    return again('look-end: inconclusive → again');
  }
}
