"""Where documents come from: files, folders, zip archives, e-mails, `s3://` prefixes."""

from pipeline.documents.sources.base import Notes, Source
from pipeline.documents.sources.places import find

__all__ = ["Notes", "Source", "find"]
