import type { ModelRecord, ModelState } from './model-record';

const versionOf = (fingerprint: string): string => fingerprint.split(':')[0] ?? '';

/** What is known of one intent, and what its ends do to that whoever brings them about. */
export class RecordModel {
  record: ModelRecord | undefined;

  get unresolved(): boolean {
    return this.record !== undefined && ['CLAIMED', 'UNKNOWN', 'RECONCILING', 'MANUAL'].includes(this.record.state);
  }

  /** The record is gone: it expired, or Redis lost it. */
  forget(): void {
    this.record = undefined;
  }

  protected resolved(state: ModelState): void {
    const cleared = { word: '', leaseUntil: 0, quiesceAt: 0, look: 0, lookAt: 0, looks: 0, absents: 0, absentAt: 0 };
    Object.assign(this.record as ModelRecord, cleared, { state });
    if (state !== 'RELEASED') (this.record as ModelRecord).givenUp = [];
  }

  protected giveUp(activity: string): void {
    const { givenUp } = this.record as ModelRecord;
    if (activity !== '' && !givenUp.includes(activity)) givenUp.push(activity);
  }

  protected conflicts(fingerprint: string): boolean {
    const known = this.record?.fingerprint ?? fingerprint;
    return versionOf(known) === versionOf(fingerprint) && known !== fingerprint;
  }
}
