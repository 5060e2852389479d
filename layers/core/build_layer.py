"""Build a layer: wheels for Lambda's Python and processor, this project's package, and their bytecode.

Run by `sam build` through the Makefile beside this file, with any Python of 3.11 or later that has pip:
standard library only. Two builds of the same tree give the same files (`digest`), so an unchanged layer
is not a new one.
"""

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

#: Version of the Lambda runtime. Bytecode of any other version is of no use there.
RUNTIME = (3, 13)

#: Bytes that a layer may have, unzipped: 60 MiB. Lambda allows 250 MB for a function with all its layers, a
#: site's own among them, and unpacks them at each cold start.
SIZE_LIMIT = 60 * 1024 * 1024

#: Template's `Architecture` → name in wheel tags, and `e_machine` of the ELF header.
MACHINES: Mapping[str, tuple[str, int]] = {"arm64": ("aarch64", 183), "x86_64": ("x86_64", 62)}

#: Amazon Linux 2023, on which the runtime stands, has glibc 2.34: wheels for any older one run there.
GLIBC = ("2_34", "2_31", "2_28", "2_27", "2_26", "2_24", "2_17")

#: What no function needs, relative to the layer's `python` folder, and why it can go. A test compares what
#: the pruned libraries answer with what the whole ones do (tests/set_up/test_layer_contents.py).
PRUNED: Mapping[str, str] = {
    "bin": "scripts that name this machine's Python",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.min.*": "a page of API documentation",
    "aws_lambda_powertools/utilities/auth_alpha": "utilities that no function imports, here and below",
    "aws_lambda_powertools/utilities/circuit_breaker": "not imported",
    "aws_lambda_powertools/utilities/data_masking": "not imported",
    "aws_lambda_powertools/utilities/feature_flags": "not imported",
    "aws_lambda_powertools/utilities/idempotency": "not imported",
    "aws_lambda_powertools/utilities/kafka": "not imported",
    "aws_lambda_powertools/utilities/parameters": "not imported",
    "aws_lambda_powertools/utilities/parser": "not imported",
    "aws_lambda_powertools/utilities/streaming": "not imported",
    "babel/messages": "reads and writes catalogues of translations",
    "cffi": "compiles; cryptography uses _cffi_backend alone",
    "dateutil/zoneinfo/*.tar.gz": "a second time zone database",
    "holidays/financial/[!_]*": "days on which exchanges are closed",
    "holidays/locale": "names of holidays in other languages: the days alone are asked for",
    "phonenumbers/carrierdata": "names of carriers: used by phonenumbers.carrier only",
    "phonenumbers/geodata": "names of places: used by phonenumbers.geocoder only",
    "pydantic/v1": "the library's former version",
    "**/*.po": "sources of translations",
    "**/tests": "libraries' own tests",
    "**/__pycache__": "bytecode of another Python, or dated",
    "**/*.pyi": "type stubs",
    "**/*.dist-info/RECORD": "lists files that were pruned",
    "**/*.dist-info/INSTALLER": "of use to pip only",
    "**/*.dist-info/REQUESTED": "of use to pip only",
}

#: The AWS services whose clients the functions make. botocore brings the data of all, 23 MB.
SERVICES = (
    "dynamodb",
    "events",
    "pinpoint-sms-voice-v2",
    "s3",
    "secretsmanager",
    "sesv2",
    "sns",
    "sqs",
    "stepfunctions",
)

#: The services whose lists the functions read page by page, by botocore's paginators.
PAGINATED = ("s3",)

#: What requests are made from and answers read by, as the first part of a file's name. No function waits by
#: botocore's waiters.
_SERVICE_DATA = ("endpoint-rule-set-1", "service-2")

#: Parts of Babel's locale data that no function formats with, emptied in each locale: all locales stay, since
#: a site may write in its own language.
LOCALE_DATA_PRUNED = (
    "compact_currency_formats",
    "compact_decimal_formats",
    "compound_unit_patterns",
    "currency_names",
    "currency_names_plural",
    "date_fields",
    "languages",
    "meta_zones",
    "scripts",
    "time_zones",
    "unit_display_names",
    "unit_patterns",
    "variants",
)

#: Languages in which records may name a country: exstream_notify/adapters/countries.py.
COUNTRY_NAMES = ("de", "en", "es", "fr")

_PRUNE_LOCALES = """
import pathlib, pickle, sys
sys.dont_write_bytecode = True
tree, pruned, named = pathlib.Path(sys.argv[1]), sys.argv[2].split(","), sys.argv[3].split(",")
sys.path.insert(0, str(tree))
for path in sorted((tree / "babel" / "locale-data").glob("*.dat")):
    data = pickle.loads(path.read_bytes())
    names = pruned if path.stem in named else [*pruned, "territories"]
    kept = {name: {} if name in names else value for name, value in data.items()}
    path.write_bytes(pickle.dumps(kept, 2))
"""

#: Every file's time, in seconds since 1970: zip files know none before 1980-01-01.
FILE_TIME = 315532800


class BuildError(Exception):
    """The layer cannot be built; the message says why and what to do."""


def install(requirements: Path, target: Path, architecture: str) -> None:
    """Install the locked wheels for `architecture` into `target`; nothing is compiled on this machine.

    Raises:
        BuildError: a wheel is missing, its hash differs, or pip is not there.
    """
    machine, _ = MACHINES[architecture]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    command += ["--requirement", str(requirements), "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    command += [
        "--target",
        str(target),
        "--no-compile",
        "--no-warn-conflicts",
        "--root-user-action",
        "ignore",
    ]
    command += ["--implementation", "cp", "--python-version", ".".join(map(str, RUNTIME))]
    for abi in (f"cp{RUNTIME[0]}{RUNTIME[1]}", "abi3", "none"):
        command += ["--abi", abi]
    for tag in [*(f"manylinux_{version}" for version in GLIBC), "manylinux2014"]:
        command += ["--platform", f"{tag}_{machine}"]
    if subprocess.run(command, check=False).returncode:
        raise BuildError(f"pip could not install the wheels of {requirements.name} for {architecture}")


def prune(tree: Path) -> None:
    """Remove from `tree` what PRUNED lists, and what of botocore's and Babel's data no function needs.

    Raises:
        BuildError: the locale data are not what they were.
    """
    for pattern in PRUNED:
        _remove(tree.glob(pattern))
    _remove(_unused_service_data(tree / "botocore" / "data"))
    if (tree / "babel" / "locale-data").exists():
        lists = (",".join(names) for names in (LOCALE_DATA_PRUNED, COUNTRY_NAMES))
        command = [sys.executable, "-c", _PRUNE_LOCALES, str(tree), *lists]
        # The order of sets in a pickle depends on the seed of hashes.
        if subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": "0"}, check=False).returncode:
            raise BuildError("Babel's locale data cannot be pruned: see LOCALE_DATA_PRUNED")


def _unused_service_data(data: Path) -> Iterator[Path]:
    """Other services' folders, former versions of an API, and files that `_SERVICE_DATA` does not name."""
    for service in (path for path in data.glob("*") if path.is_dir()):
        if service.name not in SERVICES:
            yield service
            continue
        *former, newest = sorted(service.iterdir())
        yield from former
        wanted = (*_SERVICE_DATA, "paginators-1") if service.name in PAGINATED else _SERVICE_DATA
        yield from (path for path in newest.iterdir() if path.name.split(".")[0] not in wanted)


def _remove(paths: Iterable[Path]) -> None:
    for path in sorted(paths):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def check_processor(tree: Path, architecture: str) -> None:
    """Make sure that every shared library in `tree` is for `architecture`.

    Raises:
        BuildError: names the first that is not.
    """
    _, expected = MACHINES[architecture]
    for path in files_of(tree):
        with path.open("rb") as file:
            head = file.read(20)
        if head[:4] == b"\x7fELF" and int.from_bytes(head[18:20], "little") != expected:
            raise BuildError(f"{path.relative_to(tree)} is not for {architecture}")


def runtime_python() -> Path | None:
    """A Python of the runtime's version on this machine, or None.

    Looked for in this order: $RUNTIME_PYTHON, this interpreter, the path, and pyenv's versions (whose shims
    on the path refuse to run a version that is not selected).
    """
    name = f"python{RUNTIME[0]}.{RUNTIME[1]}"
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    candidates = [
        os.environ.get("RUNTIME_PYTHON"),
        sys.executable,
        *(str(Path(folder) / name) for folder in os.get_exec_path()),
        *(str(path) for path in sorted(pyenv.glob(f"{RUNTIME[0]}.{RUNTIME[1]}*/bin/{name}"), reverse=True)),
    ]
    question = f"import sys; sys.exit(sys.version_info[:2] != {RUNTIME})"
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK):
            asked = subprocess.run([candidate, "-c", question], capture_output=True, check=False)
            if asked.returncode == 0:
                return Path(candidate)
    return None


def compile_bytecode(tree: Path, python: Path) -> None:
    """Compile all of `tree` with `python`, as it will lie under /opt/python.

    The bytecode is marked as unchecked: Lambda's files have other times than these, and it would be compiled
    again at each start if they were compared.

    Raises:
        BuildError: a file does not compile.
    """
    command = [str(python), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(tree), "-p", "/opt/python", str(tree)]
    # The order of sets in bytecode depends on the seed of hashes.
    if subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": "0"}, check=False).returncode:
        raise BuildError(f"not everything in the layer compiles with {python}")


def files_of(tree: Path) -> Iterator[Path]:
    """Every file under `tree`, in the order of their names."""
    return (path for path in sorted(tree.rglob("*")) if path.is_file())


def settle(tree: Path) -> None:
    """Give every file the same time and one of two modes, so that archives of equal trees are equal."""
    for path in [tree, *tree.rglob("*")]:
        executable = path.is_dir() or os.access(path, os.X_OK)
        path.chmod(0o755 if executable else 0o644)
        os.utime(path, (FILE_TIME, FILE_TIME))


def digest(tree: Path) -> str:
    """SHA-256 over names and contents of all files."""
    total = hashlib.sha256()
    for path in files_of(tree):
        total.update(f"{path.relative_to(tree).as_posix()}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def build(source: Path, target: Path, architecture: str) -> str:
    """Build the layer's `python` folder `target` from the folder `source`; returns what was built, in a line.

    Raises:
        BuildError: a step failed, or the result is larger than `SIZE_LIMIT`.
    """
    install(source / "requirements.txt", target, architecture)
    if (source / "exstream_notify").exists():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source / "exstream_notify", target / "exstream_notify", ignore=ignored)
    prune(target)
    check_processor(target, architecture)
    python = runtime_python()
    if python is None:
        version = ".".join(map(str, RUNTIME))
        print(
            f"NOTICE: no Python {version} on this machine, so the layer has no bytecode and functions take "
            f"about twice as long to start; install Python {version}, or name one in RUNTIME_PYTHON",
            file=sys.stderr,
        )
    else:
        compile_bytecode(target, python)
    settle(target)
    sizes = [path.stat().st_size for path in files_of(target)]
    if sum(sizes) > SIZE_LIMIT:
        raise BuildError(f"the layer {source.name} has {sum(sizes):,} bytes, {SIZE_LIMIT:,} are allowed")
    bytecode = "no bytecode" if python is None else f"bytecode of Python {RUNTIME[0]}.{RUNTIME[1]}"
    return (
        f"layer {source.name} for {architecture}: {sum(sizes) / 2**20:.1f} MiB of "
        f"{SIZE_LIMIT / 2**20:.0f} MiB allowed, "
        f"{len(sizes):,} files, {bytecode}, sha256 {digest(target)}"
    )


def main() -> None:
    """The command line: `build_layer.py [--layer core|alerts] [--architecture arm64|x86_64] TARGET`."""
    here = Path(__file__).resolve().parent
    own = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    parser = argparse.ArgumentParser(description="build a layer's python folder")
    parser.add_argument("target", type=Path)
    parser.add_argument("--layer", default=here.name, help="name of the folder, beside this file's")
    parser.add_argument("--architecture", choices=sorted(MACHINES), default=own)
    arguments = parser.parse_args()
    try:
        print(build(here.parent / arguments.layer, arguments.target, arguments.architecture))
    except BuildError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
