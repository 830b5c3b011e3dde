export { resolveSignal, resolveUpdate, statusQuery } from '../src/interceptors/workflow/parking';
