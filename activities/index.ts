export { createActivities, createEffects } from './create-activities';
export { defineEffect, type EffectDefinition, type EffectTicket, type WhenUnknown } from './define-effect';
export { notApplied, refused, type RefusalCategory } from './own-outcomes';
