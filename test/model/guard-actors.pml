/* Who acts: workers, Temporal, the venue, a person and the clock. */

/* ---- What Temporal makes of what it hears ---- */

inline unhear(n) {
  for (i : 0 .. WORKERS - 1) { worker[i].heard = worker[i].heard && worker[i].job != n }
}

#define SWEEPER 2
/* A known limit: the end of a job's time tells nothing of another run of the same attempt. */
#define EXCUSED (reruns > 0 && !RERUN_EXPIRES)

inline end_job(outcome) {
  printf("job %d: told %e\n", j, outcome);
  job[j].phase = ENDED; job[j].told = outcome; job[j].activity = 0; job[j].attempt = 0;
  HOLDS(TRUTH, outcome != EXECUTED || executions > 0);
  HOLDS(TRUTH, outcome != REFUSED || executions == 0);
  HOLDS(TRUTH, outcome != EXPIRED || executedFor != j + 1 || EXCUSED)
}

inline next_attempt() {
  job[j].attempt++; job[j].phase = ACT_QUEUED
}

inline hear() {
  j = me.job;
  unhear(j);
  if
  :: j == SWEEPER -> job[j].phase = ENDED
  :: j != SWEEPER && (me.word == EXECUTED || me.word == REFUSED) -> end_job(me.word)
  :: me.word == RELEASE -> if :: job[j].attempt < ATTEMPTS -> next_attempt() :: else -> end_job(EXPIRED) fi
  :: me.word == BUSY && job[j].phase == ACTING && job[j].attempt < ATTEMPTS -> next_attempt()
  :: j != SWEEPER && me.word == PERSON && job[j].phase == LOOKING -> job[j].phase = PARKED
  :: j != SWEEPER && me.word == ABSENT && job[j].activity < ACTIVITIES -> job[j].activity++; job[j].attempt = 1; job[j].phase = ACT_QUEUED
  :: j != SWEEPER && me.word == ABSENT && job[j].activity == ACTIVITIES -> end_job(EXPIRED)
  :: else -> job[j].phase = LOOK_QUEUED
  fi
}

/* ---- Workers ---- */

/* The worker has nothing to do any more: it told, or it crashed. */
inline idle(n) {
  forget_nonce(n);
  forget_fence(n);
  for (i : 0 .. REQUESTS - 1) { request[i].waiter = (request[i].waiter == n + 1 -> 0 : request[i].waiter) }
  worker[n].at = IDLE; worker[n].job = 0; worker[n].activity = 0; worker[n].attempt = 0; worker[n].window = 0;
  worker[n].word = NOTHING; worker[n].confirms = false; worker[n].heard = false
}

/* A run that Temporal does not hear, and whose fence the record does not know, can change nothing: it may as well be over. */
#define OLD_FENCE(n) (worker[n].fence != record.fence || record.state == DONE || record.state == REJECTED)
#define POWERLESS(n) (!worker[n].heard && (worker[n].at == TELL || \
  (!NO_LOOK_FENCE && (worker[n].at == LOOK || worker[n].at == END) && worker[n].fence != record.look) || \
  (!NO_FENCE && OLD_FENCE(n) && (worker[n].at == WAIT || worker[n].at == SETTLE || \
    (worker[n].at == ACT && worker[n].window == 0 && !NO_SEND_WINDOW)))))

/* Workers are alike: which of them is where does not matter, so they are kept in order. Not when a story is told. */
#define KEY(n) (((((((((worker[n].at * 4 + worker[n].job) * 8 + worker[n].activity) * 4 + worker[n].attempt) * 8 + \
  worker[n].nonce) * 4 + worker[n].window) * 8 + worker[n].fence) * 16 + worker[n].word) * 8 + \
  worker[n].confirms * 4 + worker[n].heard * 2 + worker[n].newest))
#define SWAP(a, b, field) i = worker[a].field; worker[a].field = worker[b].field; worker[b].field = i

inline in_order(a, b) {
  if
  :: KEY(a) > KEY(b) ->
     SWAP(a, b, at); SWAP(a, b, job); SWAP(a, b, activity); SWAP(a, b, attempt); SWAP(a, b, nonce); SWAP(a, b, window);
     SWAP(a, b, fence); SWAP(a, b, word); SWAP(a, b, confirms); SWAP(a, b, heard); SWAP(a, b, newest);
     for (i : 0 .. REQUESTS - 1) {
       request[i].waiter = (request[i].waiter == a + 1 -> b + 1 : (request[i].waiter == b + 1 -> a + 1 : request[i].waiter))
     }
  :: else
  fi
}

/* Between steps, what makes no difference is made the same: numbers that nobody will find in the record. */
inline rest() {
  for (k : 0 .. WORKERS - 1) {
    if :: POWERLESS(k) -> idle(k) :: else fi;
    if :: worker[k].fence != 0 && worker[k].fence != record.fence && worker[k].fence != record.look -> worker[k].fence = OLD :: else fi;
    if
    :: worker[k].nonce != 0 && worker[k].nonce != record.nonce ->
       worker[k].nonce = 0; worker[k].window = (ASK_WITHIN > 0 -> worker[k].window : 0)
    :: else
    fi
  }
#if SORTED
  in_order(0, 1); in_order(1, 2); in_order(0, 1);
#endif
  i = 0; j = 0; k = 0; fresh = 0; found = 0
}

#define FRESH(n) (job[n].phase == ACT_QUEUED && job[n].activity == 1 && job[n].attempt == 1)
/* Workers are alike, and so are jobs: the first that is free begins. */
#define FREE (me.at == IDLE && (self == 0 || worker[0].at != IDLE) && (self < 2 || worker[1].at != IDLE))
#define QUEUED(n) (job[n].phase == ACT_QUEUED && (n == 0 || !FRESH(0)))

inline take(n, what) {
  me.at = what; me.job = n; me.heard = true; me.activity = (n == SWEEPER -> 0 : n * ACTIVITIES + job[n].activity);
  me.attempt = (what == ADMIT -> job[n].attempt : 0);
  me.window = (what == ADMIT && ASK_WITHIN > 0 -> ASK_WITHIN + 1 : 0)
}

#define TASKS(n) \
  :: d_step { FREE && QUEUED(n) -> job[n].phase = ACTING; take(n, ADMIT); rest() } \
  :: d_step { FREE && job[n].phase == LOOK_QUEUED -> job[n].phase = LOOKING; take(n, BEGIN); rest() } \
  :: d_step { FREE && job[n].phase == ACTING && reruns < RERUNS -> reruns++; take(n, ADMIT); rest() }

proctype Process(byte self) {
end:
  do
  TASKS(0)
#if JOBS > 1
  TASKS(1)
#endif
  :: d_step { FREE && job[SWEEPER].phase == LOOK_QUEUED -> job[SWEEPER].phase = LOOKING; take(SWEEPER, BEGIN); rest() }
  :: atomic { me.at == ADMIT && (!ASK_WITHIN || me.window > 0 || me.nonce > 0) ->
       d_step {
         me.window = (me.nonce == 0 -> SEND_WITHIN + 1 : me.window);
         draw_nonce();
         admit();
         printf("worker %d: admit of activity %d attempt %d -> %e, record %e\n", self, me.activity, me.attempt, me.word, record.state)
       };
       if
       :: lostReplies < LOST_REPLIES -> lostReplies++; printf("worker %d: does not get that reply\n", self)
       :: d_step { true -> forget_nonce(self); me.at = (me.word == NOTHING -> ACT : TELL); me.window = (me.at == ACT -> me.window : 0) }
       fi;
       d_step { rest() } }

  :: d_step { me.at == ACT && (me.window > 0 || NO_SEND_WINDOW) ->
       HOLDS(LEASED, suspect > ALIVE ||
         (record.fence == me.fence && record.quiesce > ALIVE && (record.state != CLAIMED || record.lease > 0)));
       do :: request[i].alive > 0 -> i++ :: else -> break od;
       request[i].alive = ALIVE + 1; request[i].waiter = self + 1; request[i].job = me.job;
       me.window = 0; me.at = WAIT;
       printf("worker %d: sends\n", self);
       rest() }
  :: d_step { me.at == ADMIT && ASK_WITHIN && me.window == 0 && me.nonce == 0 -> me.word = RELEASE; me.at = TELL; rest() }
  /* Too late to send, or it could not be sent. */
  :: d_step { me.at == ACT -> printf("worker %d: does not send\n", self); me.window = 0; me.word = RELEASE; me.at = SETTLE; rest() }

  :: d_step { me.at == WAIT && lostAnswers < LOST_ANSWERS ->
       lostAnswers++;
       printf("worker %d: hears no answer\n", self);
       for (i : 0 .. REQUESTS - 1) { request[i].waiter = (request[i].waiter == self + 1 -> 0 : request[i].waiter) }
       me.word = (TIMEOUT_IS_REFUSAL -> RELEASE : DOUBT); me.at = SETTLE;
       rest() }

  :: atomic { me.at == SETTLE ->
       d_step {
         if
         :: me.word == EXECUTED -> settle(EXECUTED, DONE)
         :: me.word == REFUSED -> settle(REFUSED, REJECTED)
         :: me.word == RELEASE -> settle(RELEASE, RELEASED)
         :: me.word == DOUBT -> settle(DOUBT, UNKNOWN)
         fi;
         printf("worker %d: settle %e -> %d, record %e\n", self, me.word, found, record.state)
       };
       if
       :: lostReplies < LOST_REPLIES -> lostReplies++; printf("worker %d: does not get that reply\n", self)
       :: d_step { true ->
            forget_fence(self);
            if
            :: !found && (me.word == EXECUTED || (me.word == REFUSED && !FENCED_REFUSAL_TOLD)) -> me.word = DOUBT
            :: else
            fi;
            me.at = TELL }
       :: d_step { me.word == RELEASE -> forget_fence(self); me.word = NOTHING; me.at = ADMIT; me.window = (ASK_WITHIN > 0 -> 1 : 0) } /* it signs anew, and asks anew */
       fi;
       d_step { rest() } }

  :: atomic { me.at == BEGIN ->
       d_step {
         draw_nonce();
         look_begin((me.job == SWEEPER -> 0 : bit(me.activity)));
         printf("worker %d: look-begin for activity %d -> %e, record %e\n", self, me.activity, me.word, record.state)
       };
       if
       :: lostReplies < LOST_REPLIES -> lostReplies++; printf("worker %d: does not get that reply\n", self)
       :: d_step { true -> forget_nonce(self); me.at = (me.word == NOTHING -> LOOK : TELL) }
       fi;
       d_step { rest() } }
  :: atomic { me.at == LOOK ->
       if
       :: executions > 0 -> me.word = EXECUTED
       :: executions == 0 || stale > 0 -> me.word = ABSENT
       :: me.word = AGAIN /* the venue gave no answer */
       fi;
       printf("worker %d: sees %e\n", self, me.word);
       me.at = END;
       d_step { rest() } }
  :: atomic { me.at == END ->
       d_step {
         j = me.word;
         look_end();
         printf("worker %d: look-end %e -> %e, record %e\n", self, j, me.word, record.state)
       };
       if
       :: lostReplies < LOST_REPLIES -> lostReplies++; printf("worker %d: does not get that reply\n", self); me.word = j
       :: d_step { true -> forget_fence(self); me.confirms = false; me.at = TELL }
       fi;
       d_step { rest() } }

  :: d_step { me.at == TELL -> printf("worker %d: tells %e, heard %d\n", self, me.word, me.heard); if :: me.heard -> hear() :: else fi; idle(self); rest() }
  :: d_step { me.at != IDLE && crashes < CRASHES -> printf("worker %d: crashes\n", self); crashes++; idle(self); rest() }
  od
}

/* ---- Temporal gives up whom it does not hear, at any time: it cannot tell a dead worker from a paused one ---- */

#define GIVE_UP(n) \
  :: d_step { job[n].phase == ACTING || job[n].phase == LOOKING -> printf("Temporal: gives up job %d's run\n", n); unhear(n); job[n].phase = LOOK_QUEUED; rest() } \
  :: d_step { job[n].phase == PARKED && record.state != MANUAL -> job[n].phase = LOOK_QUEUED }

proctype Temporal() {
end:
  do
  GIVE_UP(0)
#if JOBS > 1
  GIVE_UP(1)
#endif
  /* Looks at what nobody else will ever look at. */
  :: d_step { !NO_SWEEPER && job[SWEEPER].phase == ENDED && job[0].phase == ENDED && job[1].phase == ENDED &&
       record.lease == 0 && !RESOLVED && record.state != MANUAL -> job[SWEEPER].phase = LOOK_QUEUED }
  :: d_step { job[SWEEPER].phase == LOOKING -> unhear(SWEEPER); job[SWEEPER].phase = ENDED; rest() }
  od
}

/* ---- A venue that takes the same client order id as often as it comes ---- */

inline answer(n, outcome) {
  printf("venue: answers %e\n", outcome);
  if
  :: request[n].waiter > 0 -> worker[request[n].waiter - 1].word = outcome; worker[request[n].waiter - 1].at = SETTLE
  :: else
  fi;
  request[n].alive = 0; request[n].waiter = 0; request[n].job = 0
}

#define REQUEST(n) \
  :: d_step { request[n].alive > 0 -> \
       printf("venue: executes\n"); executions++; executedFor = request[n].job + 1; stale = STALE + 1; \
       HOLDS(ONCE, executions <= 1); \
       HOLDS(TRUTH, job[0].told != REFUSED && job[1].told != REFUSED && (job[request[n].job].told != EXPIRED || EXCUSED)); \
       answer(n, EXECUTED); rest() } \
  :: d_step { request[n].alive > 0 && request[n].waiter > 0 -> answer(n, REFUSED); rest() } \
  :: d_step { request[n].alive > 0 && request[n].waiter > 0 -> answer(n, RELEASE); rest() } /* too many requests, say */

proctype Venue() {
end:
  do
  REQUEST(0)
  REQUEST(1)
  REQUEST(2)
  od
}

/* ---- A person knows what is true, and says "absent" no sooner than the guard takes it ---- */

proctype Person() {
end:
  do
  :: d_step { record.state == MANUAL && executions > 0 -> resolve(DONE); rest() }
  :: d_step { record.state == MANUAL && executions == 0 && record.quiesce == 0 -> resolve(REJECTED); rest() }
  :: d_step { record.state == MANUAL && executions == 0 && record.quiesce == 0 -> resolve(RELEASED); record.sends = 0; rest() }
  od
}

/* ---- Time, and what Redis loses ---- */

#define DOWN(timer) timer = (timer > 0 -> timer - 1 : 0)
#define RUNNING (record.lease + record.quiesce + record.gap + suspect + stale + worker[0].window + worker[1].window + \
  worker[2].window + request[0].alive + request[1].alive + request[2].alive > 0)

proctype Clock() {
end:
  do
  :: d_step { RUNNING ->
       printf("tick\n");
       DOWN(record.lease); DOWN(record.quiesce); DOWN(record.gap); DOWN(suspect); DOWN(stale);
       for (k : 0 .. WORKERS - 1) { DOWN(worker[k].window) }
       for (k : 0 .. REQUESTS - 1) {
         if
         :: request[k].alive == 1 -> answer(k, RELEASE) /* the venue refuses its timestamp */
         :: else -> DOWN(request[k].alive)
         fi
       };
       rest() }
#if LOSSES
  :: d_step { losses < LOSSES && record.state != NONE ->
       printf("Redis: loses the record\n");
       losses++;
       clear_doubt();
       record.state = NONE; record.fence = 0; record.sends = 0; record.went = false; record.givenUp = 0;
       suspect = (UNNOTICED_LOSS -> 0 : QUIESCENCE);
       rest() }
#endif
  :: timeout -> HOLDS(ENDS, job[0].phase == ENDED && job[1].phase == ENDED && RESOLVED); break
  od
}
