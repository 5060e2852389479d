"""The ports' implementations: AWS services, notification providers, files, clock and secrets."""
