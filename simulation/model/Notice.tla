------------------------------- MODULE Notice -------------------------------
(* One notice from its decision to its end: claim, send, record, doubt, fallback and takeover.

   Two runs hold the same document. Workers take messages of queues that deliver at least once, may stop for
   any time between any two steps, and may die there. The provider may accept a message and its answer get
   lost. docs/model.md says which function each action stands for, which steps are one here and why, and what is
   left out.

   Two claims: TOLD ONCE, no attempt is accepted twice, and a further attempt goes out only after the one
   before certainly failed or the rule for doubts allowed it; NEVER SILENT, when nothing is left to do no claim
   is left open, and every run has told its customer, or says why not, and somebody who must act was told. *)
EXTENDS Naturals, Sequences, FiniteSets, TLC

CONSTANTS
    Workers, Runs,
    Channels,      \* how many channels the rule names, each with one attempt
    Deduplicates,  \* whether the provider knows a repeated message
    OnDoubt,       \* what follows a doubt at its deadline: "alert", "other_channel"
    Deaths,        \* how many workers die at most
    Twice,         \* which kinds of messages a queue may deliver twice, one of them once
    Throttles,     \* how often the provider is busy at most
    Broken         \* a fault put back, "none" for the real thing

VARIABLES
    notice,     \* as stored in the ledger
    queue,      \* messages that wait
    worker,     \* what each worker is at
    accepted,   \* how often the provider accepted each attempt
    reported,   \* attempts of which the provider said what became of them
    failed,     \* attempts that the provider reported as not delivered
    allowed,    \* attempts after whose doubt the rule allowed another one
    wrongly,    \* attempts that went out although the one before had told the customer
    cancelled,  \* runs that the operator cancelled
    duplicates, \* runs whose record was put down as a duplicate of what went out, or may have
    raised,     \* runs of whose customer somebody who must act was told, with how many attempts there were then
    late,       \* whether the deadline has passed
    forgotten,  \* whether the provider forgot what it accepted
    deaths, throttles, copied

vars == <<notice, queue, worker, accepted, reported, failed, allowed, wrongly, cancelled, duplicates,
          raised, late, forgotten, deaths, throttles, copied>>

Attempts == 1..Channels
Nobody == "nobody"
Alike == {p @@ q : p \in Permutations(Workers), q \in Permutations(Runs)}
Lost == {"failed", "undelivered"}
Reached == {"sent", "delivered"}

Absent == [owner |-> Nobody, status |-> "absent", tries |-> <<>>, due |-> FALSE, released |-> FALSE,
           settled |-> FALSE, heirs |-> {}, former |-> {}]
Idle == [at |-> "idle"]
Again(run) == [kind |-> "decide", run |-> run, copy |-> FALSE, whole |-> FALSE]
Whole(run) == [kind |-> "decide", run |-> run, copy |-> FALSE, whole |-> TRUE]

Statuses(n) == {n.tries[i].status : i \in DOMAIN n.tries}
IsReached(n) == Statuses(n) \cap Reached # {}
InDoubt(n) == "unconfirmed" \in Statuses(n)
Claimed(n) == {i \in DOMAIN n.tries : n.tries[i].status = "sending"}
ChannelsLeft(n) == Len(n.tries) < Channels
Waits(n) == n.status = "deferred" \/ (n.status \in Lost /\ ~n.settled)
Told(r, n) == [run |-> r, tries |-> Len(n.tries)]
Standing(n) ==
    IF IsReached(n) \/ InDoubt(n) THEN "reached"
    ELSE IF Claimed(n) # {} THEN "busy"
    ELSE IF Waits(n) THEN "waits"
    ELSE "ended"
Overall(tries, otherwise) ==
    LET statuses == {tries[i].status : i \in DOMAIN tries} IN
    IF "delivered" \in statuses THEN "delivered"
    ELSE IF "sent" \in statuses THEN "sent"
    ELSE otherwise

(* Every write is conditional on the version that was read, and what is decided depends on nothing else: so
   reading and writing are one step here. A job fits as long as its notice is as it was when that was decided. *)
Wrote(n, changes) == changes @@ [released |-> FALSE] @@ n
Base(n) == <<n.owner, n.status, n.tries, n.settled>>
Stale(messages) == {IF m.kind = "send" THEN [m EXCEPT !.fits = FALSE] ELSE m : m \in messages}
Fitting(messages, n) == IF Base(n) = Base(notice) THEN messages ELSE Stale(messages)

Init ==
    /\ notice = Absent
    /\ queue = {Whole(r) : r \in Runs}
    /\ worker = [w \in Workers |-> Idle]
    /\ accepted = [a \in Attempts |-> 0]
    /\ reported = {} /\ failed = {} /\ allowed = {} /\ wrongly = {} /\ cancelled = {} /\ raised = {}
    /\ duplicates = {}
    /\ late = FALSE /\ forgotten = FALSE /\ deaths = 0 /\ throttles = 0 /\ copied = "no"

Outside == <<accepted, reported, failed, wrongly, cancelled, late, forgotten, throttles>>

-----------------------------------------------------------------------------
(* Messages. One is hidden while a worker has it. A queue may deliver one twice: then both of its workers have a
   copy, and once one of them has deleted it, it does not come back to the other. *)
Twin(m) == [m EXCEPT !.copy = TRUE]
Takings(m) ==
    {[message |-> m, rest |-> queue \ {m}, copied |-> copied]}
        \cup IF m.kind \in Twice /\ copied = "no"
             THEN {[message |-> Twin(m), rest |-> (queue \ {m}) \cup {Twin(m)}, copied |-> "yes"]}
             ELSE {}

\* The worker is done with the message: it is deleted, and these go out.
Done(t, n, messages) ==
    /\ queue' = Fitting(t.rest, n) \cup messages
    /\ copied' = IF t.message.copy /\ t.message \notin messages THEN "deleted" ELSE t.copied

\* The worker died after its write: the message comes back, unless its copy was deleted.
Dies(t, n) ==
    /\ deaths < Deaths /\ deaths' = deaths + 1
    /\ queue' = Fitting(t.rest, n) \cup Fitting(IF t.message.copy /\ t.copied = "deleted" THEN {} ELSE {t.message}, n)
    /\ copied' = t.copied

\* A look is put down to be repeated before a write that something must follow from.
DiesTelling(t, n, follows) ==
    IF follows /\ t.message.copy /\ t.copied = "deleted" /\ Broken # "unrepeated"
        THEN /\ deaths < Deaths /\ deaths' = deaths + 1
             /\ queue' = Fitting(t.rest, n) \cup {[t.message EXCEPT !.copy = FALSE]}
             /\ copied' = t.copied
        ELSE Dies(t, n)

\* What a worker at something has taken.
Held(w) == [message |-> worker[w].message, rest |-> queue, copied |-> copied]

-----------------------------------------------------------------------------
(* Deciding. What is to be written, or queued, for a run's record, by the notice as it was seen. *)
Job(r, k, fits) == [kind |-> "send", run |-> r, copy |-> FALSE, attempt |-> k, fits |-> fits, by |-> "job"]
Next1(n) == Len(n.tries) + 1
Settled(n, status) == Wrote(n, [status |-> status, due |-> FALSE, settled |-> TRUE])

Nothing == [write |-> <<>>, job |-> {}, tell |-> FALSE, allows |-> {}, duplicate |-> FALSE]
Tells(yes) == [Nothing EXCEPT !.tell = yes]
Writes(n, tell) == [Nothing EXCEPT !.write = <<n>>, !.tell = tell]
Sends(j) == [Nothing EXCEPT !.job = {j}]

\* A claim is the business of its job: that goes out again, in case it was deleted.
SendsClaimed(n, r) ==
    IF Broken = "unasked" THEN Nothing
    ELSE Sends([Job(r, CHOOSE i \in Claimed(n) : TRUE, FALSE) EXCEPT !.by = "again"])

TakesOver(n, r) ==
    LET after == Wrote(n, [owner |-> r, former |-> n.former \cup {n.owner}, status |-> "deferred",
                           due |-> TRUE, settled |-> FALSE, heirs |-> n.heirs \ {r}])
    IN [Writes(after, FALSE) EXCEPT !.job = {Job(r, Next1(after), TRUE)}]

Expired(r) == Writes(Settled([Absent EXCEPT !.owner = r], "failed"), TRUE)

Other(n, r) ==
    LET stands == Standing(n) IN
    IF r \in n.former THEN Nothing
    ELSE IF stands = "reached" THEN [Nothing EXCEPT !.duplicate = TRUE]
    ELSE IF stands = "ended" \/ (stands = "waits" /\ n.owner \in cancelled)
        THEN IF ChannelsLeft(n) /\ ~late THEN TakesOver(n, r)
             ELSE Writes([TakesOver(n, r).write[1] EXCEPT !.status = "failed", !.due = FALSE,
                                                          !.settled = TRUE], TRUE)
    ELSE IF r \in n.heirs THEN Nothing
    ELSE Writes(Wrote(n, [heirs |-> n.heirs \cup {r}]), FALSE)

Own(n, r) ==
    LET further == ChannelsLeft(n) /\ ~late IN
    IF Claimed(n) # {} THEN SendsClaimed(n, r)
    ELSE IF IsReached(n) THEN Nothing
    ELSE IF n.status = "deferred"
        THEN IF ~n.released THEN Nothing
             ELSE IF further THEN Sends(Job(r, Next1(n), TRUE)) ELSE Writes(Settled(n, "failed"), TRUE)
    ELSE IF n.status \in Lost
        THEN IF n.settled THEN Tells(Broken # "untold")
             ELSE IF further THEN Sends(Job(r, Next1(n), TRUE)) ELSE Writes(Settled(n, n.status), TRUE)
    ELSE IF n.status = "unconfirmed" /\ n.released
        THEN IF OnDoubt = "other_channel" /\ further
             THEN [Sends(Job(r, Next1(n), TRUE)) EXCEPT !.allows = {Len(n.tries)}]
             ELSE Writes(Settled(n, "unconfirmed"), TRUE)
    ELSE IF n.status = "unconfirmed" /\ n.settled THEN Tells(Broken # "untold")
    ELSE Nothing

\* Of a cancelled run: what waits ends, what is in doubt stays so, and what a job was queued for is taken.
Cancels(n, m) ==
    IF n = Absent
        THEN IF m.whole \/ Broken = "free" THEN Nothing
             ELSE Writes(Settled([n EXCEPT !.owner = m.run], "suppressed"), FALSE)
    ELSE IF n.owner # m.run THEN Nothing
    ELSE IF Claimed(n) # {} THEN SendsClaimed(n, m.run)
    ELSE IF n.due \/ n.status = "deferred"
        THEN Writes(Settled(n, IF n.status = "deferred" THEN "suppressed" ELSE n.status), FALSE)
    ELSE Nothing

\* A slice as a whole is decided without a look at the ledger, which only the write meets.
Decision(n, m) ==
    IF m.run \in cancelled THEN Cancels(n, m)
    ELSE IF m.whole /\ ~late THEN Sends(Job(m.run, 1, n = Absent))
    ELSE IF n = Absent THEN IF late THEN Expired(m.run) ELSE Sends(Job(m.run, 1, TRUE))
    ELSE IF n.owner # m.run THEN Other(n, m.run)
    ELSE IF m.whole THEN Tells(n.settled /\ n.status = "failed" /\ Broken # "untold")
    ELSE Own(n, m.run)

\* The records that a notice which told nobody is left to.
Left(n, r) == IF n.owner = r /\ Standing(n) = "ended" THEN {Again(h) : h \in n.heirs} ELSE {}

Decide ==
    /\ \E m \in queue :
        /\ m.kind = "decide"
        /\ \E t \in Takings(m) :
            LET found == Decision(notice, m)
                after == IF found.write = <<>> THEN notice ELSE found.write[1]
            IN /\ notice' = after
               /\ \/ /\ Done(t, after, found.job \cup Left(after, m.run))
                     /\ allowed' = allowed \cup found.allows
                     /\ raised' = IF found.tell THEN raised \cup {Told(m.run, after)} ELSE raised
                     /\ duplicates' = IF found.duplicate THEN duplicates \cup {m.run} ELSE duplicates
                     /\ UNCHANGED deaths
                  \/ /\ found.write # <<>>
                     /\ DiesTelling(t, after, found.tell \/ Left(after, m.run) # {})
                     /\ UNCHANGED <<allowed, raised, duplicates>>
    /\ UNCHANGED <<worker, Outside>>

-----------------------------------------------------------------------------
(* Sending. A worker at "post" has a claim and is about to hand the message over; `again`: somebody may have done
   so before; `mine`: nobody has claimed that attempt since. One at "record" has an answer; `back`: the decision
   is asked again. *)
Begun(n) == Wrote(n, [status |-> "sending", due |-> n.due /\ Broken # "undue",
                      tries |-> Append(n.tries, [status |-> "sending", over |-> FALSE, by |-> ""])])
AnswerOf(n, k, status, due, settled) ==
    LET tries == [n.tries EXCEPT ![k] = [status |-> status, over |-> FALSE, by |-> ""]] IN
    Wrote(n, [tries |-> tries, due |-> due /\ Overall(tries, status) = status,
              status |-> Overall(tries, status), settled |-> settled])

\* The notice with an answer to attempt k, or the same if it says nothing new.
Applied(n, k, mine, answer, by) ==
    IF k > Len(n.tries) THEN n
    ELSE LET status == n.tries[k].status IN
    CASE answer = "accepted" /\ status \in {"sending", "unconfirmed", "failed"} ->
             AnswerOf(n, k, "sent", FALSE, FALSE)
      [] answer = "refused" /\ status \in {"sending", "unconfirmed"} /\ mine ->
             AnswerOf(n, k, "failed", Broken # "unfollowed", FALSE)
      [] answer = "doubt" /\ status = "sending" ->
             [AnswerOf(n, k, "unconfirmed", TRUE, FALSE) EXCEPT !.tries[k].by = by]
      [] answer = "busy" /\ status \in {"sending", "unconfirmed"}
             /\ (mine \/ Broken = "withdrawn") /\ k = Len(n.tries) ->
             LET tries == SubSeq(n.tries, 1, k - 1) IN
             Wrote(n, [tries |-> tries, status |-> Overall(tries, "deferred"), due |-> TRUE,
                       settled |-> FALSE])
      [] OTHER -> n

Posting(m, k, again) == [at |-> "post", message |-> m, attempt |-> k, mine |-> TRUE, again |-> again]
Recording(m, k, mine, answer, back) ==
    [at |-> "record", message |-> m, attempt |-> k, mine |-> mine, answer |-> answer, back |-> back]

\* Worker w has attempt k now, and nobody else has.
Claims(w, t, k, again) ==
    worker' = [v \in Workers |->
        IF v = w THEN Posting([t.message EXCEPT !.fits = FALSE], k, again)
        ELSE IF worker[v].at # "idle" /\ worker[v].attempt = k THEN [worker[v] EXCEPT !.mine = FALSE]
        ELSE worker[v]]

Holds(w, t, n) == queue' = Fitting(t.rest, n) /\ copied' = t.copied
Doubts(w, t, k, back) ==
    /\ worker' = [worker EXCEPT ![w] = Recording(t.message, k, FALSE, "doubt", back)]
    /\ Holds(w, t, notice)
    /\ UNCHANGED <<notice, raised>>

\* A repeat of the job that put its attempt in doubt raises that again: perhaps its worker died before it did.
Raises(m) ==
    /\ notice.owner = m.run /\ m.attempt <= Len(notice.tries)
    /\ notice.tries[m.attempt].status = "unconfirmed" /\ notice.tries[m.attempt].by = m.by
Ends(t, messages) ==
    /\ Done(t, notice, messages)
    /\ raised' = IF Raises(t.message) THEN raised \cup {Told(t.message.run, notice)} ELSE raised
    /\ UNCHANGED <<notice, worker>>

\* What is not to go out any more: what a worker left of it is in doubt, what one still holds is waited for (and
\* the message comes back), the rest the decision ends.
Closed(w, t, n) ==
    LET r == t.message.run IN
    IF n.owner = r /\ Claimed(n) # {}
        THEN \E k \in Claimed(n) : n.tries[k].over /\ Doubts(w, t, k, TRUE)
        ELSE Ends(t, {Again(r)})

\* A notice that the job finds claimed, or moved: what the worker does about it.
Met(w, t, n) ==
    LET r == t.message.run
        k == t.message.attempt
    IN
    IF n.owner # r
        THEN /\ Ends(t, IF Standing(n) = "reached" \/ r \in n.former THEN {} ELSE {Again(r)})
             /\ duplicates' = IF Standing(n) = "reached" THEN duplicates \cup {r} ELSE duplicates
    ELSE IF k > Len(n.tries)
        THEN Ends(t, IF n.status \in Lost \cup {"unconfirmed"} THEN {Again(r)} ELSE {}) /\ UNCHANGED duplicates
    ELSE IF n.tries[k].status # "sending"
        THEN Ends(t, IF n.status \in Lost THEN {Again(r)} ELSE {}) /\ UNCHANGED duplicates
    ELSE IF ~n.tries[k].over THEN FALSE  \* somebody holds it: the message comes back
    ELSE IF Deduplicates
        THEN LET after == Wrote(n, [tries |-> [n.tries EXCEPT ![k].over = FALSE]]) IN  \* the same bytes again
             /\ notice' = after
             /\ Claims(w, t, k, TRUE)
             /\ Holds(w, t, after)
             /\ UNCHANGED <<raised, duplicates>>
    ELSE Doubts(w, t, k, FALSE) /\ UNCHANGED duplicates

(* Whether the run goes on, and whether there is time, was looked at before: perhaps it is so no more. *)
Send(w) ==
    /\ worker[w].at = "idle"
    /\ \E m \in queue :
        /\ m.kind = "send"
        /\ \E t \in Takings(m), open \in {~late /\ m.run \notin cancelled, ~forgotten \/ Broken = "forgotten"} :
            IF ~open THEN Closed(w, t, notice) /\ UNCHANGED duplicates
            ELSE IF m.fits
                THEN LET after == Begun(IF notice = Absent THEN [notice EXCEPT !.owner = m.run] ELSE notice) IN
                     /\ notice' = after
                     /\ Claims(w, t, m.attempt, FALSE)
                     /\ Holds(w, t, after)
                     /\ UNCHANGED <<raised, duplicates>>
            ELSE Met(w, t, notice)
    /\ UNCHANGED <<allowed, deaths, Outside>>

(* The provider takes the message, or not, and says so, or not. *)
Post(w) ==
    /\ worker[w].at = "post"
    /\ LET k == worker[w].attempt
           known == Deduplicates /\ ~forgotten /\ accepted[k] > 0
           before == {j \in 1..(k - 1) : accepted[j] > 0 /\ j \notin failed \cup allowed}
           answers(a) ==
               worker' = [worker EXCEPT ![w] = Recording(@.message, k, @.mine /\ a \in {"refused", "busy"}, a, FALSE)]
       IN \/ /\ accepted' = IF known THEN accepted ELSE [accepted EXCEPT ![k] = @ + 1]
             /\ wrongly' = IF before # {} THEN wrongly \cup {k} ELSE wrongly
             /\ answers("accepted") \/ answers("doubt")
             /\ UNCHANGED throttles
          \/ /\ answers("doubt")
             /\ UNCHANGED <<accepted, wrongly, throttles>>
          \/ /\ ~known
             /\ answers(IF worker[w].again THEN "doubt" ELSE "refused")
             /\ UNCHANGED <<accepted, wrongly, throttles>>
          \/ /\ throttles < Throttles
             /\ throttles' = throttles + 1
             /\ answers(IF worker[w].again /\ Broken # "withdrawn" THEN "doubt" ELSE "busy")
             /\ UNCHANGED <<accepted, wrongly>>
    /\ UNCHANGED <<notice, queue, duplicates, raised, reported, failed, allowed, cancelled, late, forgotten, deaths, copied>>

\* An answer that says nothing of a claim which somebody else has by now waits for what becomes of that.
Record(w) ==
    /\ worker[w].at = "record"
    /\ worker' = [worker EXCEPT ![w] = Idle]
    /\ LET k == worker[w].attempt
           after == Applied(notice, k, worker[w].mine, worker[w].answer, worker[w].message.by)
           follows == (after # notice /\ after.status \in Lost) \/ worker[w].back
           r == worker[w].message.run
       IN /\ notice' = after
          /\ IF k \in Claimed(after)
             THEN Dies(Held(w), after) /\ UNCHANGED raised
             ELSE \/ /\ Done(Held(w), after, IF follows THEN {Again(r)} ELSE {})
                     /\ raised' = IF after # notice /\ worker[w].answer = "doubt"
                                  THEN raised \cup {Told(r, after)} ELSE raised
                     /\ UNCHANGED deaths
                  \/ Dies(Held(w), after) /\ UNCHANGED raised
    /\ UNCHANGED <<allowed, duplicates, Outside>>

-----------------------------------------------------------------------------
(* What comes back from the provider, and what became of it in the ledger. *)
Receipt(k, what) == [kind |-> "receipt", attempt |-> k, what |-> what, copy |-> FALSE]
Heard(m) ==
    LET k == m.attempt
        told == k <= Len(notice.tries) /\ notice.tries[k].status \in {"delivered", "undelivered"}
    IN IF k > Len(notice.tries) \/ told THEN notice ELSE AnswerOf(notice, k, m.what, m.what = "undelivered", FALSE)
Follows(n) == IF n.status \in Lost THEN {Again(n.owner)} ELSE {}

Hears(t) ==
    /\ LET after == Heard(t.message) IN
           /\ notice' = after
           /\ \/ Done(t, after, Follows(after)) /\ UNCHANGED deaths
              \/ after # notice /\ Dies(t, after)
    /\ UNCHANGED <<worker, duplicates, raised, allowed, accepted, wrongly, cancelled, late, forgotten, throttles>>

Report ==
    \E k \in Attempts, what \in {"delivered", "undelivered"} :
        /\ accepted[k] > 0 /\ k \notin reported
        /\ reported' = reported \cup {k}
        /\ failed' = IF what = "undelivered" THEN failed \cup {k} ELSE failed
        /\ LET m == Receipt(k, what) IN
               Hears([message |-> m, rest |-> queue, copied |-> copied])
               \/ /\ "receipt" \in Twice /\ copied = "no"
                  /\ Hears([message |-> Twin(m), rest |-> queue \cup {Twin(m)}, copied |-> "yes"])

HearsAgain ==
    /\ \E m \in queue : m.kind = "receipt" /\ \E t \in Takings(m) : Hears(t)
    /\ UNCHANGED <<reported, failed>>

-----------------------------------------------------------------------------
(* Time, operators, misfortune. *)
Unmoved == UNCHANGED <<worker, duplicates, raised, allowed, accepted, reported, failed, wrongly, throttles, deaths,
                       copied>>

Release ==
    /\ notice.due
    /\ notice' = [notice EXCEPT !.released = TRUE]
    /\ Again(notice.owner) \notin queue /\ queue' = queue \cup {Again(notice.owner)}
    /\ UNCHANGED <<cancelled, late, forgotten>> /\ Unmoved

LeaseEnds ==
    /\ \E k \in Claimed(notice) :
           ~notice.tries[k].over /\ notice' = [notice EXCEPT !.tries[k].over = TRUE]
    /\ UNCHANGED <<queue, cancelled, late, forgotten>> /\ Unmoved

DeadlinePasses ==
    /\ ~late /\ late' = TRUE
    /\ UNCHANGED <<notice, queue, cancelled, forgotten>> /\ Unmoved

\* Days later: longer than a worker can stand still.
Forget ==
    /\ Deduplicates /\ late /\ ~forgotten /\ forgotten' = TRUE
    /\ \A w \in Workers : worker[w].at # "post"
    /\ UNCHANGED <<notice, queue, cancelled, late>> /\ Unmoved

Cancel(r) ==
    /\ cancelled = {} /\ cancelled' = {r}
    /\ \E m \in {Whole(r), Again(r)} : queue' = queue \cup {m}
    /\ UNCHANGED <<notice, late, forgotten>> /\ Unmoved

\* Between its claim, or its message's, and its record.
Die(w) ==
    /\ worker[w].at = "record"
    /\ worker' = [worker EXCEPT ![w] = Idle]
    /\ Dies(Held(w), notice)
    /\ UNCHANGED <<notice, duplicates, raised, allowed, Outside>>

Next ==
    \/ \E w \in Workers : Send(w) \/ Post(w) \/ Record(w) \/ Die(w)
    \/ Decide \/ Report \/ HearsAgain
    \/ \E r \in Runs : Cancel(r)
    \/ Release \/ LeaseEnds \/ DeadlinePasses \/ Forget

Quiet == queue = {} /\ ~notice.due /\ \A w \in Workers : worker[w].at = "idle"

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* The claims. *)
AtMostOncePerAttempt == \A k \in Attempts : accepted[k] <= 1
NoSecondAttemptUnasked == wrongly = {}
ToldOnce == AtMostOncePerAttempt /\ NoSecondAttemptUnasked

\* What is said to be unsent was not accepted.
Honest == \A k \in Attempts : (k > Len(notice.tries) \/ notice.tries[k].status = "failed") => accepted[k] = 0

\* What becomes known of a message after the operator cancelled the run that sent it concerns nobody else's
\* record: one that was put down as a duplicate of it, or that waits for it while it is in doubt, stays one.
Accounted(r) ==
    \/ r \in cancelled
    \/ notice.owner \in cancelled /\ (r \in duplicates \/ InDoubt(notice))
    \/ IsReached(notice)
    \* It is one customer: whoever has the notice speaks of it, and whoever had it, if nothing was tried since.
    \/ \E said \in raised : \/ said.run \in {r, notice.owner}
                            \/ said.run \in notice.former /\ said.tries = Len(notice.tries)
NeverSilent == Quiet => Claimed(notice) = {} /\ \A r \in Runs : Accounted(r)

Rests == [](~Quiet => <>Quiet)
=============================================================================
