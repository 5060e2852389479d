"""The `exnotify` command and the embedded cloud: what developers and operators use on their own machine."""
