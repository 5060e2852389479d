"""Wake a cohort of a follow-up journey, one page an invocation.

Trigger: the state machine `follow_up`, when the cohort's hour has come, until there is no further page.
Guarantee: at least once; a page that is done twice reminds nobody twice.
Failure: the state machine tries again, then raises the exception `journey_failed`.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, log_notices, logger, metrics
from exstream_notify.domain.journeys import Cohort
from exstream_notify.use_cases.advance_journey import advance_journey

app = Bootstrap()


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    cohort = Cohort(event["hour"], event["domain"], event["journey"], event["step"])
    page = advance_journey(
        cohort,
        event["generation"],
        event["page"],
        journeys=app.journeys,
        rules=app.rules,
        ledger=app.ledger,
        history=app.ledger,
        contacts=app.profiles,
        runs=app.runs,
        decide_queue=app.decide_queue,
        events=app.journey_events,
        exceptions=app.exceptions,
        is_holiday=app.is_holiday,
        clock=app.clock,
        time_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    count(page.counts, "Followed")
    log_notices("advanced", page.notices, cohort=app.shown(cohort.name), page=event["page"], **page.counts)
    return {**event, "page": event["page"] + 1, "more": page.more}
