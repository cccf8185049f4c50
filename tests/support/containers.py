"""Archives, Office documents, e-mails and OLE files, built for tests."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage

_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
Tree = Mapping[str, "bytes | Tree"]


def package(*names: str, text: str = "x") -> bytes:
    """A zip archive of files that hold `text`."""
    return zipped({name: text.encode() for name in names})


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def zipped_raw(files: Mapping[bytes, bytes]) -> bytes:
    """A zip archive whose names are these very bytes, without saying in which encoding."""
    data = zipped(
        {f"{number:0{len(name)}d}": content for number, (name, content) in enumerate(files.items())}
    )
    for number, name in enumerate(files):
        data = data.replace(f"{number:0{len(name)}d}".encode(), name)
    return data


def mail(subject: str, body: str, attachments: Mapping[str, bytes] | None = None) -> EmailMessage:
    """An e-mail with attachments."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ann <ann@shop.example>", "bob@bank.example", subject
    message["Date"] = "Tue, 14 May 2024 10:00:00 +0000"
    message.set_content(body)
    for name, data in (attachments or {}).items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message


def ole_file(content: Sequence[str] | Tree) -> bytes:
    """An OLE file (version 4, sectors of 4096 bytes, no short streams); a tree of folders and streams."""
    tree: Tree = content if isinstance(content, Mapping) else dict.fromkeys(content, b"x")
    entries: list[dict[str, int | str]] = [
        {"name": "Root Entry", "kind": 5, "child": _FREE, "start": _END, "size": 0}
    ]
    sectors: list[bytes] = []
    chains: list[int] = []

    def store(data: bytes) -> int:
        data = data.ljust(4096, b"\0")  # nothing is short enough for the other kind of stream
        first, count = len(sectors), -(-len(data) // 4096)
        sectors.extend(data[i * 4096 : (i + 1) * 4096].ljust(4096, b"\0") for i in range(count))
        chains.extend([*range(first + 1, first + count), _END])
        return first

    def add(parent: int, inner: Tree) -> None:
        previous = None
        for name, value in sorted(inner.items(), key=lambda item: (len(item[0]), item[0].upper())):
            number = len(entries)
            folder = isinstance(value, Mapping)
            entries.append(
                {
                    "name": name,
                    "kind": 1 if folder else 2,
                    "child": _FREE,
                    "start": 0,
                    "size": 0,
                    "right": _FREE,
                }
            )
            if previous is None:
                entries[parent]["child"] = number
            else:
                entries[previous]["right"] = number
            previous = number
            if isinstance(value, Mapping):
                add(number, value)
            else:
                entries[number] |= {"start": store(value), "size": max(len(value), 4096)}

    add(0, tree)
    directory = b""
    for entry in entries:
        name = str(entry["name"]).encode("utf-16-le")
        directory += (name + b"\0\0").ljust(64, b"\0")[:64] + struct.pack(
            "<HBBIII16sIQQIQ", len(name) + 2, int(entry["kind"]), 1, _FREE, int(entry.get("right", _FREE)),
            int(entry["child"]), bytes(16), 0, 0, 0, int(entry["start"]), int(entry["size"]),
        )  # fmt: skip
    start = store(directory)
    chains.append(_FAT)
    fat = struct.pack(f"<{len(chains)}I", *chains).ljust(4096, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack(
        "<HHHHH6xIIIIIIIII", 0x3E, 4, 0xFFFE, 12, 6, -(-len(directory) // 4096), 1, start, 0, 4096, _END, 0, _END, 0
    )  # fmt: skip
    header += struct.pack("<I", len(sectors)) + b"\xff" * 4 * 108
    return header.ljust(4096, b"\0") + b"".join(sectors) + fat
