'use strict';
// Preloaded into a worker process of a test (NODE_OPTIONS=--require). It names every point at which a crash of the process
// can make a difference to the outer world, and ends or stops the process at those that a test has asked for.
//
// Such points are where something leaves the process or comes in: right before a Redis command or an HTTP request is handed
// to the network, and right after its answer came, before any of fillsafe's code has seen it. Whatever fillsafe computes
// between two of them dies with the process, so a crash there is a crash at the point before. A new await of the outer
// world is a new point by itself.
const { appendFileSync, existsSync, readFileSync, writeFileSync } = require('node:fs');
const { createHash } = require('node:crypto');
const { join } = require('node:path');
const { isMainThread } = require('node:worker_threads');

const dir = process.env.CRASH_POINTS_DIR;
// Temporal's workflow threads preload this file too: nothing leaves from there.
if (isMainThread && dir) watch();

function watch() {
  const { Redis } = require('ioredis');
  const scripts = new Map();
  const { defineCommand, sendCommand } = Redis.prototype;
  Redis.prototype.defineCommand = function (name, definition) {
    scripts.set(createHash('sha1').update(definition.lua).digest('hex'), name.replace(/^fillsafe:/, ''));
    return defineCommand.call(this, name, definition);
  };
  Redis.prototype.sendCommand = function (command, stream) {
    const name = scripts.get(String(command.args[0])) ?? `redis ${command.name}`;
    const crossing = begin(name);
    // Registered before the caller can await it, so it runs before the caller goes on.
    command.promise.then(
      (reply) => crossing?.end(reply),
      () => crossing?.end(),
    );
    return sendCommand.call(this, command, stream);
  };

  const { fetch } = globalThis;
  globalThis.fetch = async (url, options) => {
    const path = new URL(url).pathname.split('/').at(-1);
    const crossing = begin(`${options?.method ?? 'GET'} ${path}`);
    try {
      return await fetch(url, options);
    } finally {
      crossing?.end();
    }
  };
}

/**
 * Looks under way, by activity and attempt, and their names: what the guard answered at its beginning tells which it is. One
 * whose "not found" counts, and counts first, is the first look too; how many go before it is a matter of time.
 */
const looks = new Map();

function begin(name) {
  const activity = runningActivity();
  if (!activity) return undefined;
  const look = `${activity.workflowExecution.workflowId} ${activity.activityId} ${activity.attempt}`;
  pass(activity, stagesOf(activity, look), `before ${name}`);
  return {
    end: (reply) => {
      if (name === 'look-begin' && Array.isArray(reply) && reply[0] === 'LOOK') {
        // As look-begin.lua says: LOOK mark lookFence msToQuiescence neverSent looks absents …
        const [toQuiescenceMs, absents] = [Number(reply[3]), Number(reply[6])];
        looks.set(look, absents > 0 ? ['second look'] : toQuiescenceMs > 0 ? ['look'] : ['look', 'first look']);
      }
      pass(activity, stagesOf(activity, look), `after ${name}`);
    },
  };
}

function runningActivity() {
  try {
    return require('@temporalio/activity').Context.current().info;
  } catch {
    // What the worker does for itself is no part of a job.
    return undefined;
  }
}

function stagesOf({ activityType, activityId }, look) {
  if (activityType === 'lookUp') return looks.get(look) ?? ['look'];
  if (activityType === 'resolveIntent') return ['resolve'];
  return activityId.endsWith('-1') ? ['act'] : ['act again'];
}

/** Writes the point down for its job, and obeys the test's next order for that job when it names this point. */
function pass({ workflowExecution }, stages, where) {
  const file = join(dir, encodeURIComponent(workflowExecution.workflowId));
  appendFileSync(`${file}.passed`, `${process.pid} ${stages[0]}: ${where}\n`);
  const orders = existsSync(`${file}.orders`) ? JSON.parse(readFileSync(`${file}.orders`, 'utf8')) : [];
  const [order, ...later] = orders;
  if (!stages.some((stage) => `${stage}: ${where}` === order?.point)) return;
  writeFileSync(`${file}.orders`, JSON.stringify(later));
  appendFileSync(`${file}.passed`, `${process.pid} ${order.signal}\n`);
  process.kill(process.pid, order.signal);
  // The signal may reach another thread first: nothing may leave before it has taken effect.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
}
