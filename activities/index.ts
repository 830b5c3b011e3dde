export { createActivities, createEffects } from './create-activities';
export { decide, type Decided, type KnownAct } from './decide';
export { defineEffect, type EffectDefinition, type EffectTicket, type WhenUnknown } from './define-effect';
export { notApplied, refused, type RefusalCategory } from './own-outcomes';
export { matchKillsToQueues } from './queue-hold';
