"""What the template sets for a function: its environment, validated."""

import os
from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..domain.documents import Channel, MessageClass

RUNBOOK = "docs/runbook.md"
"""Where the runbook is read unless the stack's parameter RunbookUrl says otherwise."""


class Settings(BaseModel):
    """A function's environment, as the template sets it; a function has only those that it needs."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    drop_bucket: str = ""
    work_bucket: str = ""
    evidence_bucket: str = ""
    contacts_table: str = ""
    suppressions_table: str = ""
    notices_table: str = ""
    runs_table: str = ""
    incidents_table: str = ""
    journeys_table: str = ""
    follow_up_machine: str = ""
    run_queue_url: str = ""
    decide_queue_url: str = ""
    email_queue_url: str = ""
    sms_queue_url: str = ""
    urgent_queue_url: str = ""
    exception_queue_url: str = ""
    preference_queue_url: str = ""
    alert_channels_secret: str = ""
    alert_topics: str = ""
    dead_letter_urls: str = ""
    peppers_secret: str = ""
    link_keys_secret: str = ""
    verify_keys_secret: str = ""
    portal_url_pattern: str = ""
    evidence_secret: str = ""
    opentext_secret: str = ""
    opentext_url: str = ""
    opentext_token_url: str = ""
    opentext_deduplicates: bool = False
    ses_configuration_set: str = ""
    sms_configuration_set: str = ""
    company_name: str = "Example Company"
    sender_email: str = "notices@example.com"
    sms_sender: str = ""
    support_contact: str = ""
    runbook: str = RUNBOOK
    postal_address: str = ""
    link_host: str = "documents.example.com"
    email_provider: str = "opentext"
    sms_provider: str = "opentext"
    provider_overrides: str = ""
    default_time_zone: str = "America/New_York"
    default_language: str = "en"
    default_region: str = "US"
    email_concurrency: int = Field(1, ge=1)
    email_rate: float = Field(14.0, gt=0)
    sms_concurrency: int = Field(1, ge=1)
    sms_rate: float = Field(3.0, gt=0)
    missing_file_minutes: int = Field(60, ge=1)
    quiet_period_seconds: int = Field(120, ge=1)
    volume_limit_percent: int = Field(50, ge=1)
    reject_limit_percent: int = Field(10, ge=1, le=100)
    receipt_queue_url: str = ""
    receipt_hook_secret: str = ""
    delivery_receipts: str = "email,sms"
    soft_bounce_limit: int = Field(3, ge=1)
    soft_bounce_window_days: int = Field(7, ge=1)
    delay_wait_hours: int = Field(4, ge=1)
    unmatched_receipt_hours: int = Field(24, ge=1)
    bounce_mails: Literal["off", "on"] = "off"
    bounce_address: str = ""
    bounce_mail_bucket: str = ""
    reference_keys_secret: str = ""
    unproven_mail_limit: int = Field(20, ge=1)
    bounce_rate_limit: float = Field(5.0, gt=0)
    complaint_rate_limit: float = Field(0.3, gt=0)
    reputation_minimum: int = Field(500, ge=1)
    record_retention_days: int = Field(0, ge=0)  # 0: not looked at
    require_approved_wording: bool = False
    site_dir: str = "/opt/site"
    unsubscribe_keys_secret: str = ""
    eligibility_secret: str = ""
    queue_separator: str = ","
    preferences_days: int = Field(400, ge=1)
    consent_version: str = "1"
    sms_stop_scope: Literal["all", "topic"] = "all"
    export_bucket: str = ""
    export_queue_url: str = ""
    export_segments: int = Field(16, ge=1, le=1000)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read and validate; a variable that is wrong is a ValidationError that names it."""
        lowered = {name.lower(): value for name, value in environment.items()}
        return cls.model_validate({name: lowered[name] for name in cls.model_fields if name in lowered})


def provider_choice(settings: Settings) -> Callable[[Channel, MessageClass], str]:
    """Provider by channel and message class; `email/marketing=ses,...` beats the channel's own."""
    overrides: dict[str, str] = {}
    for entry in filter(None, (e.strip() for e in settings.provider_overrides.split(","))):
        key, separator, name = entry.partition("=")
        if not separator or name not in ("opentext", "ses", "sms"):
            raise ValueError(f"PROVIDER_OVERRIDES: {entry!r} is not channel/class=provider")
        overrides[key.strip()] = name.strip()
    defaults = {"email": settings.email_provider, "sms": settings.sms_provider}
    return lambda channel, kind: overrides.get(f"{channel}/{kind}", defaults[channel])
