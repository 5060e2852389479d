"""Lambda: what the stack's queues may run at once, against what the account allows.

"Lambda quotas", "Configuring scaling behavior for SQS event source mappings": Lambda developer guide. The
quotas of the other services are not looked at: DynamoDB on demand, SQS, EventBridge and Step Functions take
hundreds of times what the providers' rates let through.
"""

from collections.abc import Iterator

from .finding import Finding
from .look import Answer, Look

_MOST = 0.8
"""Share of the account's concurrency that event sources may take: links, receipts by web hook and the
scheduled functions need the rest."""

MAPPING = "AWS::Lambda::EventSourceMapping"
FUNCTION = "AWS::Lambda::Function"


def concurrency_findings(look: Look) -> Iterator[Finding]:
    """The event sources' concurrency together, whether each is bounded and on, and the account's limit."""
    ours = set(look.some_of(MAPPING).values())
    rows = look.rows("lambda", "list_event_source_mappings", "EventSourceMappings")
    found = [row for row in rows if row["UUID"] in ours]
    off = sorted(_source(row) for row in found if row.get("State") not in ("Enabled", "Updating", "Enabling"))
    if off:
        cure = "enable its event source mapping: its messages wait"
        yield Finding("event sources", "problem", f"off: {', '.join(off)}", cure)
    elif len(found) < len(ours):
        gone = f"{len(ours) - len(found)} of {len(ours)} are gone"
        yield Finding("event sources", "problem", gone, "deploy the stack again: its queues are not read")
    else:
        yield Finding("event sources", "ok", f"{len(found)} on")
    bounds = [row.get("ScalingConfig", {}).get("MaximumConcurrency") for row in found]
    loose = sorted(_source(row) for row, most in zip(found, bounds, strict=True) if not most)
    if loose:
        cure = "set its MaximumConcurrency: one queue could take all that the account allows"
        yield Finding("event source limits", "warning", f"without: {', '.join(loose)}", cure)
    limits = look.tell("lambda", "get_account_settings")["AccountLimit"]
    yield _against(sum(int(most or 0) for most in bounds), len(found), limits)


def function_findings(look: Look) -> Iterator[Finding]:
    """Reserved concurrency: no function is switched off by it, or held below what its queues send."""
    wanted: dict[str, int] = {}
    for row in look.rows("lambda", "list_event_source_mappings", "EventSourceMappings"):
        name = str(row["FunctionArn"]).split(":")[6]
        bound = row.get("ScalingConfig", {}).get("MaximumConcurrency") or 0
        wanted[name] = wanted.get(name, 0) + int(bound)
    functions = look.some_of(FUNCTION)
    reserved = {
        logical: (name, int(told["ReservedConcurrentExecutions"]))
        for logical, name in sorted(functions.items())
        if "ReservedConcurrentExecutions"
        in (told := look.tell("lambda", "get_function_concurrency", FunctionName=name))
    }
    off = [logical for logical, (_, most) in reserved.items() if most == 0]
    tight = [
        f"{logical} {most} of {wanted[name]}"
        for logical, (name, most) in reserved.items()
        if most < wanted.get(name, 0)
    ]
    if off:
        cure = "take its reserved concurrency of 0 away: aws lambda delete-function-concurrency"
        yield Finding("functions", "problem", f"off: {', '.join(off)}", cure)
    elif tight:
        cure = "reserve as much as its queues may send, or take the reservation away"
        yield Finding("functions", "warning", f"reserved: {', '.join(tight)} wanted", cure)
    else:
        yield Finding("functions", "ok", f"{len(functions)}, {len(reserved)} with reserved concurrency")


def _source(row: Answer) -> str:
    return str(row["EventSourceArn"]).rpartition(":")[2]


def _against(wanted: int, sources: int, limits: Answer) -> Finding:
    most, free = int(limits["ConcurrentExecutions"]), int(limits["UnreservedConcurrentExecutions"])
    found = f"{wanted} wanted by {sources} event sources, of {free} unreserved ({most} in the account)"
    cure = "ask for a higher limit of concurrent executions, or lower the concurrency parameters"
    if wanted > free:
        return Finding("concurrency", "problem", found, f"{cure}: functions are throttled")
    if wanted > free * _MOST:
        return Finding("concurrency", "warning", found, cure)
    return Finding("concurrency", "ok", found)
