/* What Redis, Temporal, the workers and the venue know; and the scripts of src/guard/lua, row by row. */

mtype:state = { NONE, CLAIMED, DONE, REJECTED, RELEASED, UNKNOWN, RECONCILING, MANUAL };

typedef Record {
  mtype:state state = NONE;
  byte fence;          /* of the last GO; 0 when nobody holds it any more: it is only ever asked "is it mine?" */
  byte owner;          /* activity of the claim */
  byte attempt;
  byte nonce;          /* of the claim's call, or of the look's; 0 when that call cannot come again */
  byte lease;          /* left of the claim's, or of the look's */
  byte quiesce;        /* left until "not found" may mean absent */
  byte sends;
  bool went;           /* some GO was given */
  byte look;           /* fence of the look that holds the record */
  bool counts;         /* it began after quiescence … */
  bool apart;          /* … and GAP or more after the first that counted */
  byte absents;
  byte gap;            /* left of GAP since that first one began */
  byte givenUp         /* activities that may not act any more, a bit each */
};
Record record;
byte suspect;          /* left of the time in which a claim that Redis lost may still act */
byte losses;
#define RESOLVED (record.state == NONE || record.state == DONE || record.state == REJECTED || record.state == RELEASED)

mtype:phase = { ACT_QUEUED, ACTING, LOOK_QUEUED, LOOKING, PARKED, ENDED };
/* What the venue tells a worker, a worker the guard or Temporal, and Temporal the caller. */
mtype:word = { NOTHING, EXECUTED, REFUSED, RELEASE, DOUBT, BUSY, ABSENT, AGAIN, PERSON, EXPIRED };

typedef Job {
  mtype:phase phase = ENDED;
  byte activity = 1;
  byte attempt = 1;
  mtype:word told = NOTHING
};
Job job[3];             /* the last one is the sweeper: it only looks */
byte reruns;
bool resends;          /* once surely absent: sent again; else the caller is told that it was not executed */

mtype:at = { IDLE, ADMIT, ACT, WAIT, SETTLE, BEGIN, LOOK, END, TELL };

typedef Worker {
  mtype:at at = IDLE;
  byte job;
  byte activity;       /* numbered over both jobs, from 1 */
  byte attempt;
  byte nonce;          /* of its call to Redis, while that may come again */
  byte window;         /* left for sending by its own clock, plus one */
  byte fence;          /* of its GO, or of its look */
  mtype:word word = NOTHING;
  bool confirms;       /* its look ends the matter if it finds nothing */
  bool heard;          /* Temporal still listens to this run */
  bool newest          /* for FENCE alone: it has the newest GO, or the newest look */
};
Worker worker[WORKERS];
#define me worker[self]
byte crashes, lostReplies, lostAnswers;

typedef Request {
  byte alive;          /* left of the time in which it may be executed, plus one; 0: no such request */
  byte waiter;         /* worker that hears the answer, plus one; 0: nobody */
  byte job
};
#define REQUESTS 3
Request request[REQUESTS];
byte executions;
byte executedFor;      /* job whose request it was, plus one */
byte stale;            /* left of the time in which looks may not show it, plus one */

/* For counting; 0 between steps. */
byte i, j, k, fresh, found;

#define OLD 7           /* a fence that no record knows any more */

/* Numbers that are only compared are drawn from those that nobody holds, so that equal situations are one state. */
inline draw_fence() {
  fresh = 0; found = 1;
  do
  :: found ->
     fresh++; found = 0;
     for (i : 0 .. WORKERS - 1) { found = found || (i != self && worker[i].fence == fresh) }
  :: else -> break
  od;
  me.fence = fresh
}

inline draw_nonce() {
  fresh = 0; found = (me.nonce == 0);
  do
  :: found ->
     fresh++; found = (record.nonce == fresh);
     for (i : 0 .. WORKERS - 1) { found = found || (worker[i].nonce == fresh) }
  :: else -> break
  od;
  me.nonce = (fresh > 0 -> fresh : me.nonce)
}

inline forget_nonce(n) {
  if :: worker[n].nonce != 0 && record.nonce == worker[n].nonce -> record.nonce = 0 :: else fi;
  worker[n].nonce = 0
}

inline forget_fence(n) {
  if :: worker[n].fence != 0 && record.fence == worker[n].fence -> record.fence = 0 :: else fi;
  if :: worker[n].fence != 0 && record.look == worker[n].fence -> record.look = 0 :: else fi;
  worker[n].fence = 0; worker[n].newest = false
}

#define bit(activity) (1 << activity)
#define MAY_NOT_ACT ((record.givenUp & bit(me.activity)) && !NO_GIVEN_UP)

inline end_claim() {
  record.owner = 0; record.attempt = 0; record.nonce = 0; record.lease = 0
}

inline clear_doubt() {
  end_claim();
  record.quiesce = 0; record.look = 0; record.counts = false; record.apart = false; record.absents = 0; record.gap = 0
}

inline resolve(outcome) {
  clear_doubt();
  record.state = outcome;
  if :: outcome != RELEASED -> record.givenUp = 0; record.sends = 0 :: else fi
}

inline doubt() {
  end_claim();
  record.state = UNKNOWN; me.word = DOUBT
}

inline look_first() {
  if :: record.quiesce < suspect -> record.quiesce = suspect :: else fi;
  doubt()
}

inline go() {
  if
  :: record.sends >= MOST_SENDS -> record.state = MANUAL; me.word = PERSON
  :: else ->
     clear_doubt();
     draw_fence();
     record.state = CLAIMED; record.fence = me.fence; record.owner = me.activity; record.attempt = me.attempt;
     record.nonce = me.nonce; record.lease = LEASE; record.quiesce = QUIESCENCE; record.sends++; record.went = true;
     for (i : 0 .. WORKERS - 1) { worker[i].newest = false }
     me.newest = true
  fi
}

/* Leaves NOTHING in me.word for GO. */
inline admit() {
  me.word = NOTHING;
  if
  :: record.state == DONE -> me.word = EXECUTED
  :: record.state == REJECTED -> me.word = REFUSED
  :: record.state == MANUAL -> me.word = PERSON
  :: record.state == UNKNOWN || record.state == RECONCILING -> me.word = DOUBT
  :: (record.state == CLAIMED || record.state == RELEASED) && MAY_NOT_ACT -> me.word = DOUBT
  :: record.state == CLAIMED && !MAY_NOT_ACT ->
     if
     :: record.owner == me.activity && record.lease > 0 && record.attempt == me.attempt && (record.nonce == me.nonce || NO_NONCE) ->
        me.fence = record.fence
     :: else ->
        if
        :: record.owner == me.activity && me.attempt > record.attempt -> if :: LATER_ATTEMPT_GO -> go() :: else -> doubt() fi
        :: else ->
           if
           :: record.lease > 0 -> me.word = BUSY
           :: else -> if :: LEASE_OVER_GO -> go() :: else -> doubt() fi
           fi
        fi
     fi
  :: record.state == RELEASED && !MAY_NOT_ACT -> if :: suspect > 0 -> look_first() :: else -> go() fi
  :: record.state == NONE ->
     if
     :: me.attempt > 1 -> record.sends = 1; record.quiesce = QUIESCENCE; suspect = (LOSSES > 0 -> QUIESCENCE : 0); doubt()
     :: else -> if :: suspect > 0 -> look_first() :: else -> go() fi
     fi
  fi
}

/* Leaves in `found` whether the record took it: OK or FENCED. */
inline settle(ending, wanted) {
  found = 1;
  if
  :: record.state == NONE -> found = 0; suspect = (LOSSES > 0 -> QUIESCENCE : 0)
  :: record.state != NONE && record.fence == me.fence && record.state == wanted
  :: else ->
     if
     :: (record.fence == me.fence || NO_FENCE) && (record.state == CLAIMED ||
          ((record.state == UNKNOWN || record.state == RECONCILING) && (ending == EXECUTED || ending == REFUSED)) ||
          (record.state == RELEASED && ending == EXECUTED)) ->
        HOLDS(FENCE, me.newest);
        if
        :: ending == DOUBT -> end_claim(); record.state = UNKNOWN
        :: ending == RELEASE -> resolve(RELEASED); record.sends--
        :: else -> resolve(wanted)
        fi
     :: else -> found = 0
     fi
  fi
}

/* What is surely absent ends in "not executed"; an act of which nothing ever left begins anew. */
#define ENDS_ABSENT (!resends && (record.went || record.sends > 0))

/* Leaves NOTHING in me.word for LOOK. */
inline look_begin(whom) {
  me.word = NOTHING;
  if :: record.state == NONE -> record.state = UNKNOWN; record.quiesce = QUIESCENCE; record.sends = 1 :: else fi;
  if
  :: record.state == DONE -> me.word = EXECUTED
  :: record.state == REJECTED -> me.word = REFUSED
  :: record.state == RELEASED && suspect == 0 ->
     record.givenUp = record.givenUp | whom;
     if :: ENDS_ABSENT -> resolve(REJECTED); me.word = REFUSED :: else -> me.word = ABSENT fi
  :: record.state == MANUAL -> record.givenUp = record.givenUp | whom; me.word = PERSON
  :: record.state == CLAIMED && record.lease > 0 && !(whom & bit(record.owner)) -> me.word = BUSY
  :: record.state == RECONCILING && record.lease > 0 && record.nonce != me.nonce -> me.word = BUSY
  :: record.state == RECONCILING && record.lease > 0 && record.nonce == me.nonce ->
     record.givenUp = record.givenUp | whom;
     me.fence = record.look;
     me.confirms = record.counts && (record.apart || ONE_ABSENT) && ENDS_ABSENT
  :: else ->
     record.givenUp = record.givenUp | whom;
     if :: record.quiesce < suspect -> record.quiesce = suspect :: else fi;
     if :: suspect > 0 -> record.absents = 0; record.gap = 0 :: else fi;
     draw_fence();
     end_claim();
     record.state = RECONCILING; record.look = me.fence; record.lease = LOOK_LEASE; record.nonce = me.nonce;
     record.counts = (record.quiesce == 0 || EARLY_ABSENT);
     record.apart = (record.absents > 0 && record.gap == 0);
     if :: record.absents == 0 -> record.gap = (record.counts -> GAP : 0) :: else fi;
     me.confirms = record.counts && (record.apart || ONE_ABSENT) && ENDS_ABSENT;
     for (i : 0 .. WORKERS - 1) {
       worker[i].newest = worker[i].newest && worker[i].at != BEGIN && worker[i].at != LOOK && worker[i].at != END
     }
     me.newest = true
  fi
}

inline look_again() {
  end_claim();
  record.state = UNKNOWN; record.look = 0; record.counts = false; record.apart = false;
  record.gap = (record.absents > 0 -> record.gap : 0);
  me.word = AGAIN
}

/* The sighting is in me.word; what it came to, too. */
inline look_end() {
  if
  :: record.state != RECONCILING || (record.look != me.fence && !NO_LOOK_FENCE) -> me.word = AGAIN /* FENCED */
  :: else ->
     HOLDS(FENCE, me.newest);
     if
     :: me.word == EXECUTED -> resolve(DONE)
     :: me.word == ABSENT && me.confirms -> resolve(REJECTED); me.word = REFUSED
     :: me.word == ABSENT && !me.confirms && record.counts ->
        if
        :: record.apart || ONE_ABSENT -> resolve(RELEASED)
        :: else -> record.absents = 1; look_again()
        fi
     :: else -> look_again()
     fi
  fi
}
