import type { LevelVerdict } from './levels-model';
import type { GuardRow } from './guard-rows';
import { LookModel } from './look-model';
import { newRecord, type ModelAdmission, type ModelCaller, type ModelRecord } from './model-record';

// The record's table as plain TypeScript: from state, on event, to state, with which answer. Written from the table of
// states, not from the scripts.

const later = (from: number, now: number): number => Math.max(from - now, 0);

/** What the breakers say of an act with this GO. */
type Judge = (go: number) => LevelVerdict;

/** One intent. */
export class GuardModel extends LookModel {
  admit(now: number, caller: ModelCaller, judge: Judge | undefined, nextGo: () => number): ModelAdmission {
    const { record } = this;
    if (!record) return this.admitAbsent(now, caller, judge, nextGo);
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
    return this.go(now, caller, record, judge, nextGo, 'admit: released → GO');
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
    const word = `settle ${go} ${ending}`;
    if (state === target && record.word === word) {
      this.hit('settle: the same call again');
      return { kind: 'OK', first: false };
    }
    if (state === target) this.hit('settle: another word came to the same → FENCED');
    const definite = ending === 'done' || ending === 'reject';
    if (state === 'CLAIMED') this.hit(`settle: ${ending}`);
    else if (state === 'UNKNOWN' && definite) this.hit('settle: last word while unknown');
    else if (state === 'RECONCILING' && definite) this.hit('settle: last word while reconciling');
    else if (state === 'RELEASED' && ending === 'done') {
      this.hit('settle: done after it was taken as absent, nobody got GO since');
    } else return fenced('settle: own fence, the record has moved on → FENCED');

    if (ending === 'doubt') Object.assign(record, { state: 'UNKNOWN', leaseUntil: 0 });
    else this.resolved(target);
    record.word = word;
    if (ending === 'release') record.sends -= 1;
    return { kind: 'OK', first: true };
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

  private admitAbsent(
    now: number,
    caller: ModelCaller,
    judge: Judge | undefined,
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
    return this.go(now, caller, record, judge, nextGo, row);
  }

  private lookFirst(now: number, caller: ModelCaller, record: ModelRecord, row: GuardRow): ModelAdmission {
    this.hit(row);
    Object.assign(record, { state: 'UNKNOWN', word: '', owner: caller.owner, quiesceAt: this.store.until });
    return { kind: 'UNKNOWN', waitTicks: record.quiesceAt - now };
  }

  private admitClaimed(now: number, caller: ModelCaller, record: ModelRecord): ModelAdmission {
    const live = now < record.leaseUntil;
    const sameOwner = record.owner === caller.owner;
    const knownAttempt = Number(record.holder.split('.')[0]);
    const doubt = (row: GuardRow): ModelAdmission => {
      this.hit(row);
      Object.assign(record, { state: 'UNKNOWN', leaseUntil: 0, word: '' });
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
    judge: Judge | undefined,
    nextGo: () => number,
    row: GuardRow,
  ): ModelAdmission {
    if (record.sends >= this.settings.mostSends) {
      this.hit('admit: released, budget of sends spent → MANUAL');
      record.state = 'MANUAL';
      return { kind: 'MANUAL' };
    }
    const go = nextGo();
    const said = judge?.(go);
    if (said?.verdict === 'probe') {
      this.hit('admit: absent or released, a read comes first → PROBE');
      record.state = 'RELEASED';
      return { kind: 'PROBE', untilMs: said.untilMs, level: said.level };
    }
    record.attempts += 1;
    if (said?.verdict === 'wait') {
      this.hit('admit: absent or released, breaker refuses → OPEN');
      record.state = 'RELEASED';
      return { kind: 'OPEN', ...said };
    }
    this.hit(row);
    this.store.go();
    Object.assign(record, {
      state: 'CLAIMED',
      word: '',
      go,
      owner: caller.owner,
      holder: `${caller.attempt}.${caller.nonce}`,
    });
    Object.assign(record, { look: 0, lookAt: 0, looks: 0, absents: 0, absentAt: 0 });
    record.leaseUntil = now + this.settings.leaseTicks;
    record.quiesceAt = now + this.settings.quiesceTicks;
    record.sends += 1;
    return { kind: 'GO', go, sends: record.sends, fresh: true, wouldBlock: said?.wouldBlock ?? false };
  }
}
