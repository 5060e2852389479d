"""What must last: tables, buckets, evidence, logs, keys, secrets; and that alarms reach somebody."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from .finding import Finding
from .look import Look, Untold
from .secrets import fields_of

TABLE, BUCKET, LOGS = "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Logs::LogGroup"
KEY, TOPIC, SECRET = "AWS::KMS::Key", "AWS::SNS::Topic", "AWS::SecretsManager::Secret"

TEAM_TOPICS: Mapping[str, str] = {
    "OperationsTopic": "operations",
    "ComplianceTopic": "compliance",
    "ItTopic": "it",
}
"""The team of each topic."""

EXPIRY: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "DropBucket": ("RecordRetentionDays", ("",)),
    "WorkBucket": ("RecordRetentionDays", ("parts/", "rejects/", "receipts/", "imports/")),
    "EvidenceBucket": ("EvidenceRetentionDays", ("",)),
    "BounceMailBucket": ("BounceMailRetentionDays", ("",)),
}
"""Buckets whose objects expire: the parameter that says after how many days, and where the objects lie."""


def _each(check: str, names: Iterable[str], look_at: Callable[[str], str], good: str, cure: str) -> Finding:
    """One row for many things of a kind: the first that is not as it must be decides."""
    names = sorted(names)
    wrong = {name: what for name in names if (what := look_at(name))}
    if wrong:
        return Finding(check, "problem", ", ".join(f"{name}: {what}" for name, what in wrong.items()), cure)
    return Finding(check, "ok", f"{len(names)} {good}")


# ---- tables ----


def table_findings(look: Look) -> Iterator[Finding]:
    """Point-in-time recovery, and protection against deletion where the parameter asks for it."""
    tables = look.some_of(TABLE)

    def recovers(name: str) -> str:
        told = look.tell("dynamodb", "describe_continuous_backups", TableName=tables[name])
        kept = told["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        return "" if kept.get("PointInTimeRecoveryStatus") == "ENABLED" else "no recovery"

    def protected(name: str) -> str:
        table = look.tell("dynamodb", "describe_table", TableName=tables[name])["Table"]
        return "" if table.get("DeletionProtectionEnabled") else "can be deleted"

    cure = "switch point-in-time recovery on: what is written meanwhile cannot be restored"
    yield _each("table recovery", tables, recovers, "tables with point-in-time recovery", cure)
    if look.parameters.get("DeletionProtection", "true") == "true":
        cure = "switch deletion protection on"
        yield _each("table protection", tables, protected, "tables protected against deletion", cure)
    else:
        cure = "deploy with DeletionProtection=true, unless this stack comes and goes"
        yield Finding("table protection", "warning", "DeletionProtection=false", cure)


# ---- buckets ----


def evidence_findings(look: Look) -> Iterator[Finding]:
    """Object Lock of the evidence, against the parameter."""
    wanted = look.parameters.get("EvidenceLock", "NONE")
    bucket = look.outputs["EvidenceBucketName"]
    told = look.ask("s3", "get_object_lock_configuration", Bucket=bucket) or {}
    rule = told.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention", {})
    mode, days = str(rule.get("Mode", "NONE")), int(rule.get("Days", 0)) or 365 * int(rule.get("Years", 0))
    least = int(look.number("EvidenceRetentionDays", 2557))
    if wanted == "NONE" and mode == "NONE":
        cure = "deploy with EvidenceLock=GOVERNANCE or COMPLIANCE before the first evidence is written"
        yield Finding("evidence lock", "warning", "none: whoever may delete objects can delete proof", cure)
    elif mode != wanted or days < least:
        cure = f"set the bucket's default retention to {wanted}, {least} days"
        yield Finding("evidence lock", "problem", f"{mode}, {days} days; wanted {wanted}, {least}", cure)
    else:
        yield Finding("evidence lock", "ok", f"{mode}, {days} days")


def expiry_findings(look: Look) -> Iterator[Finding]:
    """After how many days objects expire, against the parameters."""
    buckets = {name: physical for name, physical in look.some_of(BUCKET).items() if name in EXPIRY}

    def expires(name: str) -> str:
        told = look.ask("s3", "get_bucket_lifecycle_configuration", Bucket=buckets[name]) or {}
        days = {
            str(rule.get("Filter", {}).get("Prefix") or rule.get("Prefix") or ""): rule["Expiration"]["Days"]
            for rule in told.get("Rules", ())
            if rule.get("Status") == "Enabled" and "Days" in rule.get("Expiration", {})
        }
        parameter, prefixes = EXPIRY[name]
        wanted = int(look.number(parameter, 0))
        found = {prefix: days.get(prefix, "never") for prefix in prefixes if days.get(prefix) != wanted}
        said = ", ".join(f"{prefix} {after}".strip() for prefix, after in found.items())
        return f"{said}, wanted {wanted} days" if said else ""

    cure = "deploy again, or set the bucket's lifecycle rules as the parameters say"
    yield _each("expiry of objects", buckets, expires, "buckets as their parameters say", cure)


# ---- logs, keys, secrets ----


def log_findings(look: Look) -> Iterator[Finding]:
    """How long log groups are kept, against LogRetentionDays."""
    groups = look.some_of(LOGS)
    wanted = int(look.number("LogRetentionDays", 90))
    days = {
        str(row["logGroupName"]): int(row.get("retentionInDays", 0))
        for row in look.rows("logs", "describe_log_groups", "logGroups")
    }

    def kept(name: str) -> str:
        found = days.get(groups[name])
        return (
            ""
            if found == wanted
            else "gone"
            if found is None
            else f"{found or 'without end'}, not {wanted} days"
        )

    cure = "set the group's retention to LogRetentionDays"
    yield _each("log retention", groups, kept, f"log groups, {wanted} days", cure)


def key_findings(look: Look) -> Iterator[Finding]:
    """KMS keys: enabled, and rotated by KMS."""
    keys = look.some_of(KEY)

    def usable(name: str) -> str:
        state = look.tell("kms", "describe_key", KeyId=keys[name])["KeyMetadata"]["KeyState"]
        return "" if state == "Enabled" else str(state)

    def rotates(name: str) -> str:
        told = look.tell("kms", "get_key_rotation_status", KeyId=keys[name])
        return "" if told.get("KeyRotationEnabled") else "is not rotated"

    cure = "enable the key, or cancel its deletion: topics encrypted with it lose every message"
    yield _each("KMS keys", keys, usable, "enabled", cure)
    yield _each("KMS rotation", keys, rotates, "rotated each year", "switch automatic rotation on")


def secret_deletion_findings(look: Look) -> Iterator[Finding]:
    """Secrets that somebody has scheduled for deletion: suppressions and links are lost with their keys."""
    secrets = look.some_of(SECRET)

    def stays(name: str) -> str:
        told = look.ask("secretsmanager", "describe_secret", SecretId=secrets[name])
        return "gone" if told is None else "is to be deleted" if told.get("DeletedDate") else ""

    cure = "restore it now: aws secretsmanager restore-secret"
    yield _each("secrets kept", secrets, stays, "secrets, none to be deleted", cure)


# ---- who hears of it ----


def alarm_topic_findings(look: Look) -> Iterator[Finding]:
    """Whether anybody has confirmed to be paged."""
    topic = look.parameters.get("AlarmTopicArn") or look.of_type(TOPIC).get("AlarmTopic", "")
    confirmed, pending = _subscribers(look, topic)
    if confirmed:
        yield Finding("alarm topic", "ok", f"{confirmed} confirmed subscriptions")
    else:
        found = f"{pending} subscriptions wait for confirmation" if pending else "nobody is subscribed"
        name = topic.rpartition(":")[2]
        cure = f"subscribe operations to {name}, and confirm it: alarms page nobody now"
        yield Finding("alarm topic", "problem", found, cure)


def team_findings(look: Look) -> Iterator[Finding]:
    """Whether each team that alerts go to can be reached by its topic, or by a channel of the secret."""
    topics = look.of_type(TOPIC)
    silent = [name for name in TEAM_TOPICS if name in topics and not _subscribers(look, topics[name])[0]]
    if not silent:
        yield Finding("team topics", "ok", "each has a confirmed subscription")
        return
    told = look.ask("secretsmanager", "get_secret_value", SecretId=look.outputs["AlertChannelsSecret"])
    channels = fields_of((told or {}).get("SecretString"))
    unheard = [name for name in silent if not _has_channel(TEAM_TOPICS[name], channels)]
    if not unheard:
        yield Finding(
            "team topics", "ok", f"{', '.join(silent)} have no subscription; other channels are set"
        )
    else:
        cure = "subscribe each team to its topic, or put its channel into the secret AlertChannels"
        yield Finding("team topics", "warning", f"nobody is subscribed to {', '.join(unheard)}", cure)


def _has_channel(team: str, channels: Mapping[str, object]) -> bool:
    """Whether the secret has an address for a team. Its `webhook_secret` is not one: every stack has it."""
    from exstream_notify.adapters.alert_rules import CHANNELS

    ways = ((*name.partition("/"), address) for name, address in channels.items())
    return any(bool(address) and kind in CHANNELS and whose in ("", team) for kind, _, whose, address in ways)


def _subscribers(look: Look, topic: str) -> tuple[int, int]:
    """Subscriptions that are confirmed, and that wait for it."""
    if not topic:
        raise Untold("the stack names no topic", "deploy the stack again")
    rows = look.rows("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
    states = [str(row["SubscriptionArn"]) for row in rows]
    return sum(state.startswith("arn:") for state in states), states.count("PendingConfirmation")
