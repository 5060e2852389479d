"""What becomes of incidents when something happens to a run, or one of its files is read."""

from ..domain.exceptions import FileRead
from ..domain.runs import RunNews
from ..ports import ExceptionBus, RunCalendar
from .cover_customers import Covering, cover_customers
from .expect_runs import run_came
from .settle_reports import settle_arrival, settle_file, settle_run


def follow_run(
    news: RunNews | FileRead, calendar: RunCalendar, exceptions: ExceptionBus, covering: Covering
) -> list[str]:
    """Close what holds no more, and note what the run made good of others; runs that could not be compared.

    Again is no harm. Nothing that is wrong with one run keeps it from another.
    """
    alerting = covering.alerting
    if isinstance(news, RunNews) and news.what == "arrived":
        run_came(news.domain, calendar, runs=covering.runs, exceptions=exceptions, alerting=alerting)
    is_open = bool(alerting.incidents.open_in(news.domain))
    if isinstance(news, FileRead):
        if is_open:
            settle_file(news, alerting)
        return []
    if is_open and news.what == "arrived":
        settle_arrival(news, alerting)
    if is_open and news.what != "again":
        settle_run(news, covering.runs, alerting)
    if news.what == "arrived":
        return []
    return cover_customers(news.domain, news.run_id, covering, news.tried)
