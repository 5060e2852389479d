"""What becomes of incidents when something happens to a run, or one of its files is read."""

from ..domain.exceptions import FileRead
from ..domain.runs import RunNews
from .cover_customers import Covering, cover_customers
from .settle_reports import settle_arrival, settle_file, settle_run


def follow_run(news: RunNews | FileRead, covering: Covering) -> list[str]:
    """Close what holds no more, and note what the run made good of others; runs that could not be compared.

    Again is no harm. Nothing that is wrong with one run keeps it from another.
    """
    if not covering.alerting.incidents.open_in(news.domain):
        return []
    if isinstance(news, FileRead):
        settle_file(news, covering.alerting)
        return []
    if news.what == "arrived":
        settle_arrival(news, covering.alerting)
    if news.what != "again":
        settle_run(news, covering.runs, covering.alerting)
    if news.what == "arrived":
        return []
    return cover_customers(news.domain, news.run_id, covering, news.tried)
