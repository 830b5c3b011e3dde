export { breakerControl } from './breaker-control';
export { cancelOrder } from './cancel-order';
export { placeOrder } from './place-order';
export { sweep } from './sweep';
