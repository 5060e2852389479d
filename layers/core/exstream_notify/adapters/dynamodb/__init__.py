"""The tables: ledger, contacts, suppressions, runs, incidents."""
