"""Mask personal data that must not leave the store in plain text, by the policy of `NIGHTSHIFT_MASK`.

Here is what masks texts, as each line of a log; `documents` masks results, and brings the rules for fields.
"""

from pipeline.mask_policy import IDS
from pipeline.tables.masking.sensitive import mask_text, sensitive_spans
from pipeline.tables.masking.sources import masked_sentence, masked_source
from pipeline.tables.masking.spans import mask_spans

__all__ = [
    "IDS",
    "mask_spans",
    "mask_text",
    "masked_sentence",
    "masked_source",
    "sensitive_spans",
]
