"""The channels to the teams, as the stack knows them by answers, receipts and its hourly look."""

from collections.abc import Iterator

from .finding import Finding
from .look import Look

TABLE = "AWS::DynamoDB::Table"


def channel_findings(look: Look) -> Iterator[Finding]:
    """Channels that are dead, and teams that nothing reaches. Nobody is sent anything."""
    from exstream_notify.adapters.dynamodb.channels import KEY, state_of
    from exstream_notify.domain.channels import TEAM

    name = look.some_of(TABLE)["IncidentsTable"]
    rows = look.tell(
        "dynamodb",
        "query",
        TableName=name,
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": KEY}},
    )["Items"]
    states = [state_of(row) for row in rows]
    dead = [state for state in states if state.dead_since]
    for state in sorted(dead, key=lambda state: (state.channel, state.team)):
        found = f"since {state.dead_since}: {state.why}"
        if state.channel == TEAM:
            cure = "set up a channel of the team that works (docs/alerts.md, Channels)"
            yield Finding(f"team {state.team}", "problem", found, cure)
        else:
            cure = "correct its address (docs/runbook.md, channel-dead); the next alert shows that it works"
            yield Finding(f"channel {state.name}", "problem", found, cure)
    if not dead:
        heard = sum(bool(state.sent_at) for state in states)
        yield Finding("alert channels", "ok", f"none is known to be dead; {heard} have taken an alert")
