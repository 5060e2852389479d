"""Exception codes that say how a run stands, by what ends them."""

REFUSALS = frozenset(
    {
        "seal_unreadable",
        "seal_without_index",
        "index_unreadable",
        "files_missing",
        "size_mismatch",
        "checksum_mismatch",
        "record_count_mismatch",
        "document_count_mismatch",
        "customer_count_mismatch",
        "manifest_count_mismatch",
        "manifest_uncounted",
        "trailer_missing",
        "trailer_count_mismatch",
        "no_records",
    }
)
"""Why a run was not taken: over once it is taken."""

HOLDS = frozenset({"domain_unknown", "volume_deviates", "rejects_high"})
"""Why a run holds itself: over once a person released or cancelled it."""

NOT_SEALED = "run_not_sealed"

NOT_THERE = frozenset({"run_expected", NOT_SEALED})
"""A run that does not come, or does not end."""
