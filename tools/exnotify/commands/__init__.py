"""The commands of `exnotify`, one module each, named after it; `command` is what click calls."""
