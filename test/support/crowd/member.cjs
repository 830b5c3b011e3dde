'use strict';
const { join } = require('node:path');

/**
 * A process of a crowd. Told its task it gets ready by `prepare`, which answers {call(index), close()}; told to go it makes
 * all calls at the same moment and tells what each of them came to.
 */
exports.member = (prepare) => {
  let ready;
  let calls;
  // Nothing outlives the test.
  process.once('disconnect', () => process.exit());
  process.on('message', async (message) => {
    if (message !== 'go') {
      calls = message.calls;
      ready = await prepare(message);
      return void process.send('ready');
    }
    const answers = await Promise.all(Array.from({ length: calls }, (_, index) => ready.call(index)));
    await ready.close();
    return void process.send(answers);
  });
};

exports.built = (path) => require(join(__dirname, '..', '..', '..', 'dist', path));
