"""The `exnotify` command. Each of its commands is a module below `commands`, imported when it is used."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from .errors import FAILED, CommandError, MisuseError

COMMANDS = {
    "demo": "Show the main job from start to end on five sample runs.",
    "up": "Start the embedded cloud, and run it until stopped.",
    "seal": "Seal a folder of Exstream output.",
    "plan": "Say what would happen to a folder, and do nothing.",
    "drop": "Upload a folder as a run, and follow it until it balances.",
    "event": "Put an event on the bus.",
    "receipt": "Hand in a provider's receipt.",
    "run": "Show a run; hold, release or cancel it.",
    "notice": "Show one notice: its attempts and events.",
    "notices": "List a customer's notices.",
    "contact": "Show a contact, or change it.",
    "journeys": "List the follow-ups that run; stop them, let them go on.",
    "paper": "Say what Exstream must print of a run.",
    "reply": "Send an SMS reply, as a customer would.",
    "replies": "Show what customers answered by SMS in words of their own.",
    "export": "Export preferences for Exstream.",
    "import": "Check an existing preference file, and lay it over the contacts.",
    "incidents": "List what went wrong, by run and team.",
    "alarms": "Show which alarms are on, and what pages.",
    "redrive": "Look at dead letters, or send them back.",
    "switch": "Switch a channel or a domain off, or on again.",
    "approvals": "Show who approved which wording, or approve it.",
    "keys": "Show the versions of the keys, or rotate one.",
    "doctor": "Check a deployment, and say what to do.",
    "smoke": "Send yourself one marked notice through the whole stack, and follow it.",
    "outbox": "List the messages that reached the simulated providers.",
    "evidence": "Write the proof of one notice to a file.",
    "tick": "Run a scheduled function now.",
    "preview": "Write every template in every language to one page.",
}
"""The commands, in the order of a day's work; the sentence is what the list says of each."""


class Commands(click.Group):
    """Imports a command's module only when it is asked for: the list itself needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """One of them."""
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"exnotify.commands.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stack", metavar="NAME", help="Work on a deployed stack, with your own AWS credentials.")
@click.pass_context
def exnotify(context: click.Context, stack: str | None) -> None:
    """Exstream output in, notices out.

    Works on the embedded cloud that `exnotify up` started (EXNOTIFY_URL, else its default port), or
    with --stack on a deployed stack. Exit codes: 0 done (of a run: clean), 1 not balanced or not
    found, 2 bad use, 3 balanced but something needs a look.
    """
    context.obj = stack


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The command, on these arguments or the program's own; ends with its exit code."""
    try:
        code = exnotify.main(arguments, prog_name="exnotify", standalone_mode=False)
    except click.ClickException as error:
        failure = _misused(error)
        failure.show()
        code = failure.exit_code
    except click.Abort:
        code = 130
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        sys.stderr.close()
        code = FAILED
    except Exception as error:
        foreseen = _foreseen(error)
        if foreseen is None:
            raise
        foreseen.show()
        code = foreseen.exit_code
    sys.exit(code if isinstance(code, int) else 0)


def _misused(error: click.ClickException) -> click.ClickException:
    """What click says of bad use, as one sentence; without any argument it shows the help."""
    if not isinstance(error, click.UsageError) or isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error
    command = error.ctx.command_path if error.ctx else "exnotify"
    return MisuseError(f"{error.format_message().rstrip('.')}: see {command} --help")


def _foreseen(error: Exception) -> CommandError | None:
    """What can go wrong around a command, as one sentence; None for what is a bug of ours."""
    module, name = type(error).__module__, type(error).__name__
    if isinstance(error, OSError):
        return CommandError(f"{error.filename or 'the system'}: {error.strerror or error}")
    if module == "exstream_notify.adapters.rules":
        return CommandError(f"the rules cannot be used: {error}")
    if not module.startswith(("botocore.", "boto3.")):
        return None
    if name in ("NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError", "ProfileNotFound"):
        return CommandError(f"no AWS credentials ({error}): sign in, or leave --stack out")
    if name == "NoRegionError":
        return CommandError("no AWS region: set AWS_REGION, or a region in your profile")
    return CommandError(f"AWS refuses or does not answer: {error}")
