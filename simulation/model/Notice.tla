------------------------------- MODULE Notice -------------------------------
(* One notice from its decision to its end: claim, send, record, doubt, fallback and takeover.

   Two runs hold the same document. Workers take messages of queues that deliver at least once, may stop for
   any time between any two steps, and may die there. The provider may accept a message and its answer get
   lost. docs/model.md says which function each action stands for, and what is left out.

   Two claims: TOLD ONCE, no attempt is accepted twice, and a further attempt goes out only after the one
   before certainly failed or the rule for doubts allowed it; NEVER SILENT, when nothing is left to do every
   run has told its customer, or says why not, and somebody who must act was told. *)
EXTENDS Naturals, Sequences, FiniteSets, TLC

CONSTANTS
    Workers, Runs,
    Channels,      \* how many channels the rule names, each with one attempt
    Deduplicates,  \* whether the provider knows a repeated message
    OnDoubt,       \* what follows a doubt at its deadline: "alert", "other_channel"
    Deaths,        \* how many workers die at most
    Twice,         \* whether a queue delivers a message twice
    Throttles,     \* how often the provider is busy at most
    Broken         \* a fault put back, "none" for the real thing

VARIABLES
    notice,     \* as stored in the ledger
    queue,      \* messages that wait, or that a worker has and did not delete
    worker,     \* what each worker is at
    accepted,   \* how often the provider accepted each attempt
    reported,   \* attempts of which the provider said what became of them
    failed,     \* attempts that the provider reported as not delivered
    allowed,    \* attempts after whose doubt the rule allowed another one
    wrongly,    \* attempts that went out although the one before had told the customer
    cancelled,  \* runs that the operator cancelled
    raised,     \* runs of whose customer somebody who must act was told
    over,       \* claims whose lease is over, by number
    late,       \* whether the deadline has passed
    forgotten,  \* whether the provider forgot what it accepted
    deaths, throttles, copied

vars == <<notice, queue, worker, accepted, reported, failed, allowed, wrongly, cancelled, raised, over, late,
          forgotten, deaths, throttles, copied>>

Attempts == 1..Channels
Nobody == "nobody"
Alike == Permutations(Workers) \cup Permutations(Runs)
Lost == {"failed", "undelivered"}
Reached == {"sent", "delivered"}
Answers == {"accepted", "refused", "doubt", "busy"}

Absent == [owner |-> Nobody, status |-> "absent", tries |-> <<>>, due |-> FALSE, released |-> FALSE,
           settled |-> FALSE, heirs |-> {}, former |-> {}, claims |-> 0]
Idle == [at |-> "idle"]
Again(run) == [kind |-> "decide", run |-> run, copy |-> FALSE]

Statuses(n) == {n.tries[i].status : i \in DOMAIN n.tries}
IsReached(n) == Statuses(n) \cap Reached # {}
InDoubt(n) == "unconfirmed" \in Statuses(n)
ChannelsLeft(n) == Len(n.tries) < Channels
Standing(n) ==
    IF IsReached(n) \/ InDoubt(n) THEN "reached"
    ELSE IF "sending" \in Statuses(n) THEN "busy"
    ELSE IF n.status = "deferred" \/ (n.status \in Lost /\ ~n.settled) THEN "waits"
    ELSE "ended"
Overall(tries, otherwise) ==
    LET statuses == {tries[i].status : i \in DOMAIN tries} IN
    IF "delivered" \in statuses THEN "delivered"
    ELSE IF "sent" \in statuses THEN "sent"
    ELSE otherwise

(* Every write is conditional on the version that was read, and what is decided depends on nothing else: so
   reading and writing are one step here. *)
Wrote(n, changes) == changes @@ [released |-> FALSE] @@ n

Init ==
    /\ notice = Absent
    /\ queue = {Again(r) : r \in Runs}
    /\ worker = [w \in Workers |-> Idle]
    /\ accepted = [a \in Attempts |-> 0]
    /\ reported = {} /\ failed = {} /\ allowed = {} /\ wrongly = {} /\ cancelled = {} /\ raised = {}
    /\ over = {} /\ late = FALSE /\ forgotten = FALSE /\ deaths = 0 /\ throttles = 0 /\ copied = "no"

Nothing == [write |-> <<>>, job |-> {}, tell |-> FALSE]

Goes(w, to) == worker' = [worker EXCEPT ![w] = to]
\* What comes back of a message that is not dealt with: nothing, if it was deleted elsewhere.
Back(w) == IF worker[w].message.copy /\ copied = "deleted" THEN {} ELSE {worker[w].message}

\* A worker is done with its message: it is deleted, with all copies, unless it is among those to come.
Ends(w, messages) ==
    /\ queue' = queue \cup messages
    /\ copied' = IF worker[w].message.copy /\ worker[w].message \notin messages THEN "deleted" ELSE copied
    /\ Goes(w, Idle)

\* A worker that is about to hand a message over, under a claim; `again`: somebody may have done so before.
Posting(w, claim, again) == [at |-> "post", message |-> worker[w].message, claim |-> claim, again |-> again]

World == <<accepted, reported, failed, allowed, wrongly, cancelled, over, late, forgotten, deaths, throttles>>

\* A message is hidden while a worker has it, and comes back if the worker dies. A queue may deliver it twice.
Takes(w, m) ==
    \/ /\ Goes(w, [at |-> m.kind, message |-> m, open |-> ~late /\ (m.kind # "send" \/ m.run \notin cancelled)])
       /\ queue' = queue \ {m}
       /\ UNCHANGED copied
    \/ /\ Twice /\ copied = "no"
       /\ copied' = "yes"
       /\ LET twin == [m EXCEPT !.copy = TRUE] IN
              /\ Goes(w, [at |-> m.kind, message |-> twin, open |-> ~late /\ (m.kind # "send" \/ m.run \notin cancelled)])
              /\ queue' = (queue \ {m}) \cup {twin}

Take(w) ==
    /\ worker[w].at = "idle"
    /\ \E m \in queue : Takes(w, m)
    /\ UNCHANGED <<notice, raised, accepted, reported, failed, allowed, wrongly, cancelled, over, late, forgotten, deaths,
                   throttles>>

-----------------------------------------------------------------------------
(* Deciding. What is to be written, or queued, for a run's record, by the notice as it was seen. *)
Job(r, n) == [kind |-> "send", run |-> r, copy |-> FALSE, attempt |-> Len(n.tries) + 1,
              base |-> <<n.owner, n.status, n.tries, n.settled>>]
Settled(n, status) == Wrote(n, [status |-> status, due |-> FALSE, settled |-> TRUE])

Writes(n, tell) == [write |-> <<n>>, job |-> {}, tell |-> tell]
Sends(j) == [write |-> <<>>, job |-> {j}, tell |-> FALSE]
Both(n, j) == [write |-> <<n>>, job |-> {j}, tell |-> FALSE]

TakesOver(n, r) ==
    LET after == Wrote(n, [owner |-> r, former |-> n.former \cup {n.owner}, status |-> "deferred",
                           due |-> TRUE, settled |-> FALSE, heirs |-> n.heirs \ {r}])
    IN Both(after, Job(r, after))

Fresh(r) ==
    IF r \in cancelled THEN Nothing
    ELSE IF late THEN Writes(Settled([Absent EXCEPT !.owner = r], "failed"), TRUE)
    ELSE Sends(Job(r, Absent))

Other(n, r) ==
    LET stands == Standing(n) IN
    IF r \in cancelled \/ r \in n.former \/ stands = "reached" THEN Nothing
    ELSE IF stands = "ended" \/ (stands = "waits" /\ n.owner \in cancelled)
        THEN IF ChannelsLeft(n) /\ ~late THEN TakesOver(n, r)
             ELSE Writes([TakesOver(n, r).write[1] EXCEPT !.status = "failed", !.due = FALSE,
                                                          !.settled = TRUE], TRUE)
    ELSE IF r \in n.heirs THEN Nothing
    ELSE Writes([n EXCEPT !.heirs = @ \cup {r}], FALSE)

Own(n, r) ==
    LET busy == "sending" \in Statuses(n)
        waits == n.status = "deferred" \/ (n.status \in Lost /\ ~n.settled)
        further == ChannelsLeft(n) /\ ~late
    IN
    IF r \in cancelled
        THEN IF waits /\ ~busy
             THEN Writes(Settled(n, IF n.status = "deferred" THEN "suppressed" ELSE n.status), FALSE)
             ELSE IF n.status = "unconfirmed" /\ n.due /\ n.released
             THEN Writes(Settled(n, n.status), TRUE)
             ELSE [Nothing EXCEPT !.tell = n.settled /\ n.status = "unconfirmed" /\ Broken # "untold"]
    ELSE IF busy \/ IsReached(n) THEN Nothing
    ELSE IF n.status = "deferred"
        THEN IF ~n.released THEN Nothing
             ELSE IF further THEN Sends(Job(r, n)) ELSE Writes(Settled(n, "failed"), TRUE)
    ELSE IF n.status \in Lost
        THEN IF n.settled THEN [Nothing EXCEPT !.tell = Broken # "untold"]
             ELSE IF further THEN Sends(Job(r, n)) ELSE Writes(Settled(n, n.status), TRUE)
    ELSE IF n.status = "unconfirmed" /\ n.released
        THEN IF OnDoubt = "other_channel" /\ further THEN Sends(Job(r, n))
             ELSE Writes(Settled(n, "unconfirmed"), TRUE)
    ELSE IF n.status = "unconfirmed" /\ n.settled THEN [Nothing EXCEPT !.tell = Broken # "untold"]
    ELSE Nothing

Decision(n, r) == IF n = Absent THEN Fresh(r) ELSE IF n.owner = r THEN Own(n, r) ELSE Other(n, r)

(* The jobs, the records that a notice which told nobody is left to, and the word to whoever must act. A worker
   that dies before these does all of it again, since the message comes back. *)
Hands(n, found) ==
    [job |-> found.job, tell |-> found.tell, doubted |-> n.status = "unconfirmed",
     left |-> IF n # Absent /\ Standing(n) = "ended" THEN {Again(h) : h \in n.heirs} ELSE {}]

Decide(w) ==
    /\ worker[w].at = "decide"
    /\ LET m == worker[w].message
           found == Decision(notice, m.run)
           after == IF found.write = <<>> THEN notice ELSE found.write[1]
       IN /\ notice' = after
          /\ Goes(w, [at |-> "hand", message |-> m, found |-> Hands(after, found)])
    /\ UNCHANGED <<queue, raised, copied, World>>

Hand(w) ==
    /\ worker[w].at = "hand"
    /\ LET found == worker[w].found IN
           /\ Ends(w, found.job \cup found.left)
           /\ allowed' = IF found.doubted THEN allowed \cup {j.attempt - 1 : j \in found.job} ELSE allowed
           /\ raised' = IF found.tell THEN raised \cup {worker[w].message.run} ELSE raised
    /\ UNCHANGED <<notice, accepted, reported, failed, wrongly, cancelled, over, late, forgotten, deaths, throttles>>

-----------------------------------------------------------------------------
(* Sending. *)
Claimed(n, k) == Wrote(n, [status |-> "sending", due |-> FALSE,
                           tries |-> Append(n.tries, [status |-> "sending", claim |-> n.claims + 1]),
                           claims |-> n.claims + 1])
AnswerOf(n, k, status, due, settled) ==
    LET tries == [n.tries EXCEPT ![k].status = status] IN
    Wrote(n, [tries |-> tries, due |-> due /\ Overall(tries, status) = status,
              status |-> Overall(tries, status), settled |-> settled])

\* The notice with an answer to attempt k, claimed as `claim`, or the same if it says nothing new.
Applied(n, k, claim, answer) ==
    IF k > Len(n.tries) THEN n
    ELSE LET try == n.tries[k] IN
    CASE answer = "accepted" /\ try.status \in {"sending", "unconfirmed", "failed"} ->
             AnswerOf(n, k, "sent", FALSE, FALSE)
      [] answer = "refused" /\ try.status \in {"sending", "unconfirmed"} /\ try.claim = claim ->
             AnswerOf(n, k, "failed", Broken # "unfollowed", FALSE)
      [] answer = "doubt" /\ try.status = "sending" -> AnswerOf(n, k, "unconfirmed", TRUE, FALSE)
      [] answer = "busy" /\ try.status \in {"sending", "unconfirmed"}
             /\ (try.claim = claim \/ Broken = "withdrawn") /\ k = Len(n.tries) ->
             LET tries == SubSeq(n.tries, 1, k - 1) IN
             Wrote(n, [tries |-> tries, status |-> Overall(tries, "deferred"), due |-> TRUE,
                       settled |-> FALSE])
      [] OTHER -> n

\* A notice that the job finds claimed, or moved: what the worker does about it.
Met(w, n) ==
    LET r == worker[w].message.run
        k == worker[w].message.attempt
    IN
    IF n.owner # r THEN
        /\ Ends(w, IF Standing(n) = "reached" \/ r \in n.former THEN {} ELSE {Again(r)})
        /\ UNCHANGED notice
    ELSE IF k > Len(n.tries) THEN
        /\ Ends(w, IF n.status \in Lost \cup {"unconfirmed"} THEN {Again(r)} ELSE {})
        /\ UNCHANGED notice
    ELSE IF n.tries[k].status # "sending" THEN
        /\ Ends(w, IF n.status \in Lost THEN {Again(r)} ELSE {})
        /\ UNCHANGED notice
    ELSE IF n.tries[k].claim \notin over THEN  \* somebody holds it: the message comes back
        /\ Ends(w, Back(w))
        /\ UNCHANGED notice
    ELSE IF Deduplicates /\ (worker[w].open \/ Broken = "forgotten") THEN  \* the same bytes again
        /\ notice' = Wrote(n, [tries |-> [n.tries EXCEPT ![k].claim = n.claims + 1],
                                  claims |-> n.claims + 1])
        /\ Goes(w, Posting(w, n.claims + 1, TRUE))
        /\ UNCHANGED <<queue, copied>>
    ELSE
        /\ Goes(w, [at |-> "record", message |-> worker[w].message, claim |-> 0, answer |-> "doubt"])
        /\ UNCHANGED <<notice, queue, copied>>

(* Whether the run goes on, and whether there is time, was looked at before: `open`. *)
Send(w) ==
    /\ worker[w].at = "send"
    /\ LET m == worker[w].message
           n == notice
           own == n = Absent \/ n.owner = m.run
           fits == /\ own
                   /\ <<n.owner, n.status, n.tries, n.settled>> = m.base
                   /\ "sending" \notin Statuses(n)
           owned == IF n = Absent THEN [n EXCEPT !.owner = m.run] ELSE n
       IN IF fits /\ ~worker[w].open THEN
              /\ Ends(w, {Again(m.run)})
              /\ UNCHANGED notice
          ELSE IF fits THEN
              /\ notice' = Claimed(owned, m.attempt)
              /\ Goes(w, Posting(w, n.claims + 1, FALSE))
              /\ UNCHANGED <<queue, copied>>
          ELSE Met(w, n)
    /\ UNCHANGED <<raised, World>>

(* The provider takes the message, or not, and says so, or not. *)
Post(w) ==
    /\ worker[w].at = "post"
    /\ LET k == worker[w].message.attempt
           known == Deduplicates /\ ~forgotten /\ accepted[k] > 0
           before == {j \in 1..(k - 1) : accepted[j] > 0 /\ j \notin failed \cup allowed}
           answers(a) == Goes(w, [at |-> "record", message |-> worker[w].message, claim |-> worker[w].claim,
                                  answer |-> a])
       IN \/ /\ accepted' = IF known THEN accepted ELSE [accepted EXCEPT ![k] = @ + 1]
             /\ wrongly' = IF before # {} THEN wrongly \cup {k} ELSE wrongly
             /\ \/ answers("accepted")
                \/ answers("doubt")
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
    /\ UNCHANGED <<notice, queue, raised, reported, failed, allowed, cancelled, over, late, forgotten, deaths, copied>>

Follows(w, n) == [at |-> "follow", message |-> worker[w].message,
                 next |-> IF n.status \in Lost THEN {Again(n.owner)} ELSE {}]

Record(w) ==
    /\ worker[w].at = "record"
    /\ notice' = Applied(notice, worker[w].message.attempt, worker[w].claim, worker[w].answer)
    /\ Goes(w, Follows(w, notice'))
    /\ UNCHANGED <<queue, raised, copied, World>>

Follow(w) ==
    /\ worker[w].at = "follow"
    /\ Ends(w, worker[w].next)
    /\ UNCHANGED <<notice, raised, World>>

-----------------------------------------------------------------------------
(* What comes back from the provider. *)
Report(k, what) ==
    /\ accepted[k] > 0 /\ k \notin reported
    /\ reported' = reported \cup {k}
    /\ LET m == [kind |-> "receipt", attempt |-> k, what |-> what, copy |-> FALSE]
       IN m \notin queue /\ queue' = queue \cup {m}
    /\ failed' = IF what = "undelivered" THEN failed \cup {k} ELSE failed
    /\ UNCHANGED <<notice, worker, raised, accepted, allowed, wrongly, cancelled, over, late, forgotten,
                   deaths, throttles, copied>>

Receipt(w) ==
    /\ worker[w].at = "receipt"
    /\ LET m == worker[w].message
           k == m.attempt
           told == k <= Len(notice.tries) /\ notice.tries[k].status \in {"delivered", "undelivered"}
       IN /\ notice' = IF k > Len(notice.tries) \/ told THEN notice
                       ELSE AnswerOf(notice, k, m.what, m.what = "undelivered", FALSE)
          /\ Goes(w, Follows(w, notice'))
    /\ UNCHANGED <<queue, raised, copied, World>>

-----------------------------------------------------------------------------
(* Time, operators, misfortune. *)
Release ==
    /\ notice.due
    /\ notice' = IF notice.released THEN notice ELSE [notice EXCEPT !.released = TRUE]
    /\ Again(notice.owner) \notin queue /\ queue' = queue \cup {Again(notice.owner)}
    /\ UNCHANGED <<worker, raised, copied, World>>

LeaseEnds ==
    /\ \E k \in DOMAIN notice.tries :
           /\ notice.tries[k].status = "sending"
           /\ notice.tries[k].claim \notin over
           /\ over' = over \cup {notice.tries[k].claim}
    /\ UNCHANGED <<notice, queue, worker, raised, accepted, reported, failed, allowed, wrongly, cancelled, late,
                   forgotten, deaths, throttles, copied>>

DeadlinePasses ==
    /\ ~late /\ late' = TRUE
    /\ UNCHANGED <<notice, queue, worker, raised, accepted, reported, failed, allowed, wrongly, cancelled, over,
                   forgotten, deaths, throttles, copied>>

\* Days later: longer than a worker can stand still.
Forget ==
    /\ Deduplicates /\ late /\ ~forgotten /\ forgotten' = TRUE
    /\ \A w \in Workers : worker[w].at \notin {"send", "post"}
    /\ UNCHANGED <<notice, queue, worker, raised, accepted, reported, failed, allowed, wrongly, cancelled, over, late,
                   deaths, throttles, copied>>

Cancel(r) ==
    /\ cancelled = {} /\ cancelled' = {r}
    /\ queue' = queue \cup {Again(r)}
    /\ UNCHANGED <<notice, worker, raised, accepted, reported, failed, allowed, wrongly, over, late, forgotten, deaths,
                   throttles, copied>>

Die(w) ==
    /\ deaths < Deaths /\ worker[w].at # "idle"
    /\ deaths' = deaths + 1
    /\ Ends(w, Back(w))
    /\ UNCHANGED <<notice, raised, accepted, reported, failed, allowed, wrongly, cancelled, over, late, forgotten,
                   throttles>>

Works(w) == \/ Take(w) \/ Decide(w) \/ Hand(w) \/ Send(w) \/ Post(w)
            \/ Record(w) \/ Follow(w) \/ Receipt(w)

Next ==
    \/ \E w \in Workers : Works(w) \/ Die(w)
    \/ \E k \in Attempts, what \in {"delivered", "undelivered"} : Report(k, what)
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

\* A message that bounces after the operator cancelled the run that sent it concerns nobody else's record:
\* that one stays a duplicate of what went out.
Accounted(r) ==
    \/ r \in cancelled
    \/ notice.owner \in cancelled /\ \E k \in Attempts : accepted[k] > 0
    \/ IsReached(notice)
    \/ {r, notice.owner} \cap raised # {}  \* it is one customer: whoever has the notice now speaks of it
NeverSilent == Quiet => \A r \in Runs : Accounted(r)

Rests == [](~Quiet => <>Quiet)
=============================================================================
