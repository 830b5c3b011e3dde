/*
 * The guard's protocol as a Promela model, to be exhausted by spin: every order of every step of three workers, Temporal,
 * the scripts in Redis and a venue. README.md beside this file says what is left out, and how to run it.
 *
 * One atomic step is one Lua script, one act of the venue, one decision of Temporal, or a tick. Between any two of them
 * anything else may happen, for any time: that is what a paused worker, a slow network and a late order are here.
 * Times count down, so that the clock has no end. In the order of the real ones: send window < quiescence < lease.
 */
#ifndef WORKERS
#define WORKERS 3      /* processes that do attempts and look-ups alike */
#endif
#ifndef JOBS
#define JOBS 1         /* workflows that want the same intent: 1 or 2 */
#endif
#ifndef ACTIVITIES
#define ACTIVITIES 2   /* of a job: each resend after an absence is a new one; then its time is over */
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2     /* of an activity; then its time is over */
#endif
#ifndef MOST_SENDS
#define MOST_SENDS 2   /* requests of the intent; then a person decides */
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef LOST_REPLIES
#define LOST_REPLIES 1 /* the script ran; its caller does not know, and the client library sends the same call again */
#endif
#ifndef LOST_ANSWERS
#define LOST_ANSWERS 1 /* the venue's answer does not come while its worker lives; a crash loses one too */
#endif
#ifndef RERUNS
#define RERUNS 1       /* a server that crashed starts the same attempt a second time */
#endif
#ifndef LOSSES
#define LOSSES 0       /* Redis loses the record, and the guard notices */
#endif

#define SEND_WITHIN 1  /* from asking the guard until the request has left */
#define ALIVE 1        /* from there until the venue will not execute it any more */
#ifndef QUIESCENCE
#define QUIESCENCE 3   /* more than both together */
#endif
#define LEASE 4
#ifndef ASK_WITHIN
#define ASK_WITHIN 0   /* from an attempt's start until it asks the guard no more; 0: it may ask at any time, as it is today */
#endif
#define LOOK_LEASE 1
#define GAP 1          /* between looks that must agree */
#define STALE 1        /* looks may not yet show what was executed this long ago */

/* What must hold. CHECK picks some of it, so that a planted fault shows which one it breaks. */
#define ONCE 1         /* the venue executes the intent at most once */
#define TRUTH 2        /* what a caller is told is true at the venue, then and for ever */
#define FENCE 4        /* only the holder of the newest GO, or of the newest look, changes what a record says */
#define LEASED 8       /* who sends holds the newest GO, within its lease, and is done before quiescence */
#define ENDS 16        /* where nothing can happen any more, every job has its answer and the record is resolved */
#ifndef CHECK
#define CHECK (ONCE + TRUTH + FENCE + LEASED + ENDS)
#endif
#define HOLDS(property, fact) assert(!(CHECK & property) || (fact))

/* A planted fault, by its number; 0: the protocol as it is. */
#ifndef FAULT
#define FAULT 0
#endif
#ifndef SORTED
#define SORTED 0       /* 1: far fewer states, but a story in which the workers change their numbers */
#endif
#define NO_SEND_WINDOW (FAULT == 1)
#define ONE_ABSENT (FAULT == 2)
#define EARLY_ABSENT (FAULT == 3)
#define LEASE_OVER_GO (FAULT == 4)
#define LATER_ATTEMPT_GO (FAULT == 5)
#define NO_NONCE (FAULT == 6)
#define NO_FENCE (FAULT == 7)
#define NO_LOOK_FENCE (FAULT == 8)
#define NO_GIVEN_UP (FAULT == 9)
#define TIMEOUT_IS_REFUSAL (FAULT == 10)
#define UNNOTICED_LOSS (FAULT == 11)
#define FENCED_REFUSAL_TOLD (FAULT == 12)
#define RERUN_EXPIRES (FAULT == 13)
#define NO_SWEEPER (FAULT == 14)

#include "guard-scripts.pml"
#include "guard-actors.pml"

init {
  atomic {
    if :: resends = true :: resends = false fi;
    job[0].phase = ACT_QUEUED;
    if :: JOBS > 1 -> job[1].phase = ACT_QUEUED :: else fi;
    for (i : 0 .. WORKERS - 1) { run Process(i) }
    i = 0;
    run Temporal(); run Venue(); run Person(); run Clock()
  }
}
