"""What stands in for AWS and for the providers: in memory, as strict as the real ones, and as unreliable."""
