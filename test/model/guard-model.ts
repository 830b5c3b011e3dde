import type { LookVerdict } from '../../src/guard/answers';
import type { LevelsModel } from './levels-model';
import type { GuardRow } from './guard-rows';
import {
  newRecord,
  type ModelAdmission,
  type ModelCaller,
  type ModelRecord,
  type ModelSettings,
  type ModelState,
} from './model-record';
import type { StoreModel } from './store-model';

// The record's table as plain TypeScript: from state, on event, to state, with which answer. Written from the table of
// states, not from the scripts.

const later = (from: number, now: number): number => Math.max(from - now, 0);
const versionOf = (fingerprint: string): string => fingerprint.split(':')[0] ?? '';

/** One intent. */
export class GuardModel {
  record: ModelRecord | undefined;
  private lookNumber = 0;

  constructor(
    private readonly settings: ModelSettings,
    private readonly store: StoreModel,
    private readonly hit: (row: GuardRow) => void,
  ) {}

  get unresolved(): boolean {
    return this.record !== undefined && ['CLAIMED', 'UNKNOWN', 'RECONCILING', 'MANUAL'].includes(this.record.state);
  }

  admit(now: number, caller: ModelCaller, breaker: LevelsModel | undefined, nextGo: () => number): ModelAdmission {
    const { record } = this;
    if (!record) return this.admitAbsent(now, caller, breaker, nextGo);
    if (this.conflicts(caller.fingerprint)) {
      this.hit('admit: other fingerprint → CONFLICT');
      return { kind: 'CONFLICT' };
    }
    if (record.fingerprint !== caller.fingerprint) this.hit('admit: fingerprint of another version is not compared');
    switch (record.state) {
      case 'DONE':
        this.hit('admit: done → REPLAY');
        return { kind: 'REPLAY' };
      case 'REJECTED':
        this.hit('admit: rejected → REJECTED');
        return { kind: 'REJECTED' };
      case 'MANUAL':
        this.hit('admit: manual → MANUAL');
        return { kind: 'MANUAL' };
      case 'UNKNOWN':
      case 'RECONCILING':
        this.hit('admit: unknown or reconciling → UNKNOWN');
        return { kind: 'UNKNOWN', waitTicks: later(record.quiesceAt, now) };
      case 'CLAIMED':
      case 'RELEASED':
        break;
    }
    if (record.givenUp.includes(caller.owner)) {
      this.hit('admit: an activity that was given up → UNKNOWN');
      return { kind: 'UNKNOWN', waitTicks: 0 };
    }
    if (record.state === 'CLAIMED') return this.admitClaimed(now, caller, record);
    if (this.store.suspected(now)) {
      return this.lookFirst(now, caller, record, 'admit: released, store suspected → UNKNOWN');
    }
    return this.go(now, caller, record, breaker, nextGo, 'admit: released → GO');
  }

  settle(
    now: number,
    go: number,
    ending: 'done' | 'reject' | 'release' | 'doubt',
  ): { kind: 'OK' | 'FENCED'; first: boolean } {
    const { record } = this;
    const fenced = (row: GuardRow): { kind: 'FENCED'; first: boolean } => {
      this.hit(row);
      return { kind: 'FENCED', first: false };
    };
    if (!record || record.go < go) {
      this.store.suspect(now, 'store: a settled act found its claim gone → suspected');
      return fenced(`settle: ${record ? 'the record knows of no GO so late' : 'no record'} → FENCED, store suspected`);
    }
    if (record.go !== go) return fenced('settle: stale fence → FENCED');
    const { state } = record;
    const target = ({ done: 'DONE', reject: 'REJECTED', release: 'RELEASED', doubt: 'UNKNOWN' } as const)[ending];
    if (state === target) {
      this.hit('settle: the same call again');
      return { kind: 'OK', first: false };
    }
    const definite = ending === 'done' || ending === 'reject';
    if (state === 'CLAIMED') this.hit(`settle: ${ending}`);
    else if (state === 'UNKNOWN' && definite) this.hit('settle: last word while unknown');
    else if (state === 'RECONCILING' && definite) this.hit('settle: last word while reconciling');
    else if (state === 'RELEASED' && ending === 'done') {
      this.hit('settle: done after it was taken as absent, nobody got GO since');
    } else return fenced('settle: own fence, the record has moved on → FENCED');

    if (ending === 'doubt') Object.assign(record, { state: 'UNKNOWN', leaseUntil: 0 });
    else this.resolved(target);
    if (ending === 'release') record.sends -= 1;
    return { kind: 'OK', first: true };
  }

  lookBegin(
    now: number,
    request: { looker: string; givenUp: string; fingerprint: string; ends: boolean },
  ): { kind: 'LOOK'; look: number; toQuiescence: number } | { kind: 'BUSY'; waitTicks: number } | { kind: string } {
    const answer = (row: GuardRow, kind: string): { kind: string } => {
      this.hit(row);
      return { kind };
    };
    const busy = (row: GuardRow, until: number): { kind: 'BUSY'; waitTicks: number } => {
      this.hit(row);
      return { kind: 'BUSY', waitTicks: until - now };
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
      const same = record.holder === request.looker;
      this.hit(same ? 'look-begin: the same looker again → LOOK' : 'look-begin: the other looker is gone → LOOK');
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
    record.looks += 1;
    this.lookNumber += 1;
    record.state = 'RECONCILING';
    record.holder = request.looker;
    record.leaseUntil = now + this.settings.lookLeaseTicks;
    record.look = this.lookNumber;
    record.lookAt = now;
    return { kind: 'LOOK', look: this.lookNumber, toQuiescence: later(record.quiesceAt, now) };
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
      Object.assign(record, { state: 'UNKNOWN', leaseUntil: 0 });
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
      Object.assign(record, { state: 'MANUAL', leaseUntil: 0 });
      return answer('look-end: contradiction → MANUAL', 'MANUAL');
    }
    return again('look-end: inconclusive → again');
  }

  resolve(now: number, decision: 'done' | 'absent' | 'rejected'): { kind: 'OK' | 'REFUSED' | 'EARLY' } {
    const { record } = this;
    if (record?.state !== 'MANUAL') {
      this.hit(record ? 'resolve: not manual → REFUSED' : 'resolve: no record → REFUSED');
      return { kind: 'REFUSED' };
    }
    if (decision === 'absent' && now < record.quiesceAt) {
      this.hit('resolve: absent, while its request may still act → EARLY');
      return { kind: 'EARLY' };
    }
    this.hit(`resolve: ${decision}`);
    this.resolved(({ done: 'DONE', absent: 'RELEASED', rejected: 'REJECTED' } as const)[decision]);
    if (decision === 'absent') Object.assign(record, { sends: 0, decided: true });
    return { kind: 'OK' };
  }

  /** The record is gone: it expired, or Redis lost it. */
  forget(): void {
    this.record = undefined;
  }

  private admitAbsent(
    now: number,
    caller: ModelCaller,
    breaker: LevelsModel | undefined,
    nextGo: () => number,
  ): ModelAdmission {
    const record = newRecord('RELEASED', caller.fingerprint);
    if (caller.attempt > 1 && !caller.knownUnsent) {
      this.hit('admit: absent, later attempt → UNKNOWN');
      Object.assign(record, { state: 'UNKNOWN', owner: caller.owner, attempts: caller.attempt, sends: 1 });
      record.quiesceAt = now + this.settings.quiesceTicks;
      this.record = record;
      this.store.suspect(now, 'store: a later attempt found no record → suspected');
      return { kind: 'UNKNOWN', waitTicks: this.settings.quiesceTicks };
    }
    if (this.store.suspected(now)) {
      this.record = record;
      return this.lookFirst(now, caller, record, 'admit: absent, store suspected → UNKNOWN');
    }
    const row: GuardRow =
      caller.attempt === 1
        ? 'admit: absent, first attempt → GO'
        : 'admit: absent, later attempt, earlier one known not to have sent → GO';
    this.record = record;
    return this.go(now, caller, record, breaker, nextGo, row);
  }

  private lookFirst(now: number, caller: ModelCaller, record: ModelRecord, row: GuardRow): ModelAdmission {
    this.hit(row);
    Object.assign(record, { state: 'UNKNOWN', owner: caller.owner, quiesceAt: this.store.until });
    return { kind: 'UNKNOWN', waitTicks: record.quiesceAt - now };
  }

  private admitClaimed(now: number, caller: ModelCaller, record: ModelRecord): ModelAdmission {
    const live = now < record.leaseUntil;
    const sameOwner = record.owner === caller.owner;
    const knownAttempt = Number(record.holder.split('.')[0]);
    const doubt = (row: GuardRow): ModelAdmission => {
      this.hit(row);
      Object.assign(record, { state: 'UNKNOWN', leaseUntil: 0 });
      return { kind: 'UNKNOWN', waitTicks: later(record.quiesceAt, now) };
    };
    if (live && sameOwner && record.holder === `${caller.attempt}.${caller.nonce}`) {
      this.hit('admit: claimed, the same call again → the same GO');
      return { kind: 'GO', go: record.go, sends: record.sends, fresh: false, wouldBlock: false };
    }
    if (sameOwner && caller.attempt > knownAttempt) {
      return doubt('admit: claimed, later attempt of the same activity → UNKNOWN');
    }
    if (!live) return doubt('admit: claimed, lease over → UNKNOWN');
    this.hit(
      sameOwner ? 'admit: claimed, another run of the same attempt → BUSY' : 'admit: claimed, another owner → BUSY',
    );
    return { kind: 'BUSY', waitTicks: record.leaseUntil - now };
  }

  private go(
    now: number,
    caller: ModelCaller,
    record: ModelRecord,
    breaker: LevelsModel | undefined,
    nextGo: () => number,
    row: GuardRow,
  ): ModelAdmission {
    if (record.sends >= this.settings.mostSends) {
      this.hit('admit: released, budget of sends spent → MANUAL');
      record.state = 'MANUAL';
      return { kind: 'MANUAL' };
    }
    const go = nextGo();
    const said = breaker?.judge(now, go, caller.act);
    if (said?.verdict === 'probe') {
      this.hit('admit: absent or released, a read comes first → PROBE');
      record.state = 'RELEASED';
      return { kind: 'PROBE', until: said.until, level: said.level };
    }
    record.attempts += 1;
    if (said?.verdict === 'wait') {
      this.hit('admit: absent or released, breaker refuses → OPEN');
      record.state = 'RELEASED';
      return { kind: 'OPEN', ...said };
    }
    this.hit(row);
    this.store.go();
    Object.assign(record, { state: 'CLAIMED', go, owner: caller.owner, holder: `${caller.attempt}.${caller.nonce}` });
    Object.assign(record, { look: 0, lookAt: 0, looks: 0, absents: 0, absentAt: 0 });
    record.leaseUntil = now + this.settings.leaseTicks;
    record.quiesceAt = now + this.settings.quiesceTicks;
    record.sends += 1;
    return { kind: 'GO', go, sends: record.sends, fresh: true, wouldBlock: said?.wouldBlock ?? false };
  }

  private resolved(state: ModelState): void {
    const cleared = { leaseUntil: 0, quiesceAt: 0, look: 0, lookAt: 0, looks: 0, absents: 0, absentAt: 0 };
    Object.assign(this.record as ModelRecord, cleared, { state });
    if (state !== 'RELEASED') (this.record as ModelRecord).givenUp = [];
  }

  private giveUp(activity: string): void {
    const { givenUp } = this.record as ModelRecord;
    if (activity !== '' && !givenUp.includes(activity)) givenUp.push(activity);
  }

  private conflicts(fingerprint: string): boolean {
    const known = this.record?.fingerprint ?? fingerprint;
    return versionOf(known) === versionOf(fingerprint) && known !== fingerprint;
  }
}
