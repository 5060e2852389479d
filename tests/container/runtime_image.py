"""A stand-in for the Lambda runtime's image, for machines that cannot pull the real one.

A Debian root of this machine's release, this machine's Python 3.13 where Lambda has it, and the runtime
interface client from PyPI: what `sam local invoke` adds its emulator and the layer to. It differs from the
real image in its C library (this machine's, not Amazon Linux 2023's) and in its versions of boto3 and Python.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import docker.errors

import build_layer
from tests.needs import SAM

ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())

_HERE = Path(__file__).resolve().parent
_REQUIREMENTS = _HERE / "requirements.txt"
_CACHE_REPOSITORY = "exstream-notify/lambda-stand-in"
_LABEL = "exstream-notify.stand-in"

#: Where the real image has things (`docker history` of the public runtime image).
_BOOTSTRAP = """#!/bin/sh
export AWS_EXECUTION_ENV=AWS_Lambda_python3.13
export PYTHONPATH=/opt/python/lib/python3.13/site-packages:/opt/python:/var/runtime
exec /var/lang/bin/python3.13 -m awslambdaric "$_HANDLER"
"""
_ENVIRONMENT = {
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": "/var/lang/lib:/opt/lib",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "LANG": "en_US.UTF-8",
    "TZ": ":/etc/localtime",
}

#: Parts of Python that no function uses: Tk would bring a window system's libraries along.
_LEFT_OUT = ("test", "idlelib", "tkinter", "turtledemo", "ensurepip", "config-*", "__pycache__", "_tkinter*")

#: Asks SAM itself how it will call the image: no registry is spelt here.
_TAG_QUESTION = """
import sys
from samcli.local.docker.lambda_image import LambdaImage, Runtime
print(LambdaImage._INVOKE_REPO_PREFIX + "/" + Runtime.get_image_name_tag("python3.13", sys.argv[1]))
"""


class ImageError(Exception):
    """The stand-in cannot be built; the message says what is missing."""


def runtime_tag() -> str:
    """The name under which `sam local` looks for the runtime's image."""
    command = [str(SAM.with_name("python")), "-c", _TAG_QUESTION, ARCHITECTURE]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def runtime_image(client: docker.DockerClient) -> Iterator[str]:
    """The runtime's image under the name that `sam local` expects; yields the name.

    A real one that is there is used and left alone. Otherwise the stand-in gets the name for as long as the
    context lasts, so that it is never taken for the real one later; its layers stay, for the next time.

    Raises ImageError.
    """
    tag = runtime_tag()
    try:
        found = client.images.get(tag)
    except docker.errors.ImageNotFound:
        found = None
    if found is not None and _LABEL not in (found.labels or {}):
        yield tag
        return
    repository, _, version = tag.rpartition(":")
    _stand_in(client).tag(repository, version)
    try:
        yield tag
    finally:
        client.images.remove(tag)


def _stand_in(client: docker.DockerClient) -> "docker.models.images.Image":
    python = build_layer.runtime_python()
    if python is None:
        raise ImageError("no Python 3.13 on this machine (RUNTIME_PYTHON can name one)")
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    made_of = [
        Path(__file__).read_bytes(),
        _REQUIREMENTS.read_bytes(),
        release.encode(),
        str(python).encode(),
    ]
    version = hashlib.sha256(b"\0".join(made_of)).hexdigest()[:16]
    name = f"{_CACHE_REPOSITORY}:{version}"
    try:
        return client.images.get(name)
    except docker.errors.ImageNotFound:
        pass
    with tempfile.TemporaryDirectory(prefix="stand-in-") as folder:
        root = Path(folder) / "root"
        _debian(root, release)
        _python(root, python)
        _runtime(root)
        archive = Path(folder) / "root.tar"
        subprocess.run(["tar", "-C", str(root), "-cf", str(archive), "."], check=True)
        changes = [f"ENV {key}={value}" for key, value in _ENVIRONMENT.items()]
        changes += ["WORKDIR /var/task", f"LABEL {_LABEL}={version}"]
        client.api.import_image_from_file(
            str(archive), repository=_CACHE_REPOSITORY, tag=version, changes=changes
        )
    return client.images.get(name)


def _debian(root: Path, release: str) -> None:
    """The smallest Debian root of this machine's release, from the mirror that apt uses."""
    if not shutil.which("debootstrap"):
        raise ImageError("debootstrap is not installed")
    listed = _output("apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)").splitlines()
    mirrors = [line.split()[1] for line in listed if line.split()[:1] == [release]]
    if not mirrors:
        raise ImageError(f"apt knows no mirror of Debian {release}")
    command = ["debootstrap", "--variant=minbase", release, str(root), mirrors[0]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImageError("debootstrap failed:\n" + "\n".join(done.stdout.splitlines()[-15:]))
    for waste in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man"):
        shutil.rmtree(root / waste, ignore_errors=True)


def _python(root: Path, python: Path) -> None:
    """Copy Python to /var/lang, with the libraries that the root lacks."""
    asked = (
        "import sys, sysconfig as s; print(s.get_path('stdlib'), s.get_config_var('LIBDIR'), sys.executable)"
    )
    stdlib, libraries, executable = _output(str(python), "-c", asked).split()
    target = root / "var" / "lang"
    (target / "bin").mkdir(parents=True)
    shutil.copy2(Path(executable).resolve(), target / "bin" / "python3.13")
    ignored = shutil.ignore_patterns(*_LEFT_OUT, "site-packages", "dist-packages")
    shutil.copytree(stdlib, target / "lib" / "python3.13", ignore=ignored)
    for shared in Path(libraries).glob("libpython3.13.so*"):
        shutil.copy2(shared.resolve(), target / "lib" / shared.name)
    programs = [target / "bin" / "python3.13", *(target / "lib" / "python3.13" / "lib-dynload").glob("*.so")]
    for library in sorted(_libraries(programs)):
        inside = root / library.relative_to("/")
        if not inside.exists() and library.name not in {path.name for path in (target / "lib").iterdir()}:
            inside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(library.resolve(), inside)


def _libraries(programs: Iterable[Path]) -> set[Path]:
    """The shared libraries that programs load on this machine."""
    said = _output("ldd", *map(str, programs))
    found = (line.split("=>")[1].split()[0] for line in said.splitlines() if "=> /" in line)
    return {Path(path) for path in found}


def _runtime(root: Path) -> None:
    """The runtime's own folder: the interface client and boto3, and what starts them."""
    runtime = root / "var" / "runtime"
    build_layer.install(_REQUIREMENTS, runtime, ARCHITECTURE)
    bootstrap = runtime / "bootstrap"
    bootstrap.write_text(_BOOTSTRAP, encoding="ascii")
    bootstrap.chmod(0o755)
    for folder in ("var/task", "var/rapid", "opt"):
        (root / folder).mkdir(parents=True, exist_ok=True)


def _output(*command: str) -> str:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
