"""One LocalStack for all tests here; its stack is created, updated and deleted in the order of the files' names."""

import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.localstack.cloud import Cloud, Deployed, build, deploy, start_cloud

#: The first deployment: every condition of the template holds. LocalStack cannot make one true later, unlike AWS: it
#: does not find a resource that an output names when both come with a change, and replaces a bucket that gets a lock.
FIRST: Mapping[str, str] = {
    "EvidenceLock": "GOVERNANCE",
    "LinkCertificate": "arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-0000-0000-000000000000",
    "EdgeCertificate": "arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-0000-0000-000000000000",
    "WebAclArn": "arn:aws:wafv2:us-east-1:000000000000:global/webacl/notices/00000000",
}

#: The second: changed values for tables, log groups, functions, event source mappings and a rule.
SECOND: Mapping[str, str] = {
    **FIRST,
    "BounceMails": "on",
    "BounceAddress": "bounces@example.com",
    "DeletionProtection": "false",
    "EmailConcurrency": "5",
    "LogLevel": "DEBUG",
    "LogRetentionDays": "30",
}


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory, dynamodb_local_url: str) -> Iterator[Cloud]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("localstack")
    started, process = start_cloud(folder, port, int(dynamodb_local_url.rpartition(":")[2]))
    try:
        yield started
    finally:
        process.kill()  # what it holds is worth nothing; its own end takes twenty seconds
        process.wait()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="session")
def created(cloud: Cloud, built: Path) -> Deployed:
    deploy(cloud, built, FIRST)
    return Deployed(cloud)


@pytest.fixture(scope="session")
def updated(cloud: Cloud, built: Path, created: Deployed) -> Deployed:
    deploy(cloud, built, SECOND)
    return Deployed(cloud)
